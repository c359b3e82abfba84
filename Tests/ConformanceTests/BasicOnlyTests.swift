// SPDX-License-Identifier: MIT
import Conformance
import EMTCore
import EntryFormats
import SimMemory
import Synchronization
import Testing
import X86Object

/// Counts calls of customizable functions.
private let customized = Atomic<Int>(0)

/// The minimal driver with customizations that do nothing but count and then answer as the default does.
private struct Probe: TranslationDatabase {
  typealias Object = X86Object
  typealias Service = ProbeService
  var base: MinimalDatabase
  var context: DatabaseContext {
    get { base.context }
    set { base.context = newValue }
  }
  private func note() { customized.add(1, ordering: .relaxed) }

  func find(_ address: VirtualAddress) -> X86Object { base.find(address) }
  func update(_ object: X86Object) throws(TranslationError) -> Change<X86Object> { try base.update(object) }
  func remove(_ object: X86Object) throws(TranslationError) -> Change<X86Object> { try base.remove(object) }
  var footprint: TableFootprint { base.footprint }
  func release() { base.release() }

  func makeIterator(over range: VirtualRange) -> RangeIterator {
    note()
    return base.makeIterator(over: range)
  }
  func next(_ iterator: inout RangeIterator) -> X86Object {
    note()
    return base.next(&iterator)
  }
  func isVoid(_ range: VirtualRange) -> Bool {
    note()
    return base.isVoid(range)
  }
  func insertRun(_ prototype: X86Object, count: UInt64) throws(RangeFailure) -> FlushObligation {
    note()
    return try base.insertRun(prototype, count: count)
  }
  func rangeLock(over range: VirtualRange) -> DatabaseLock {
    note()
    return base.rangeLock(over: range)
  }
  func flushAll() {
    note()
    base.flushAll()
  }
  var largestSwapOffset: UInt64 {
    note()
    return base.largestSwapOffset
  }
  func makeWritable(at address: VirtualAddress) throws(TranslationError) {
    note()
    try base.makeWritable(at: address)
  }
}

private struct ProbeService: TranslationService {
  typealias Database = Probe
  typealias Root = RadixRoot
  let base: MinimalService
  let registers: ControlRegisters<Probe>
  var pageSizes: PageSizes { base.pageSizes }
  var kernelDatabase: Probe { Probe(base: base.kernelDatabase) }

  static func boot(_ platform: Platform, options: DriverOptions) throws(ServiceError) -> Self {
    let base = try MinimalService.boot(platform, options: options)
    let registers = ControlRegisters(
      repeating: platform.cpuCount, database: Probe(base: base.kernelDatabase), root: { base.registers[$0] })
    return Self(base: base, registers: registers)
  }
  func shutDown() {
    registers.releaseCopy()
    base.shutDown()
  }
  func makeDatabase(_ context: DatabaseContext) throws(ServiceError) -> Probe {
    Probe(base: try base.makeDatabase(context))
  }
  func destroy(_ database: Probe) throws(ServiceError) { try base.destroy(database.base) }
  func switchTo(_ database: Probe, on cpu: Int) throws(ServiceError) -> Probe {
    let previous = try base.switchTo(database.base, on: cpu)
    registers.repeatLoad(database, root: base.registers[cpu], on: cpu)
    return Probe(base: previous)
  }
  func current(on cpu: Int) throws(ServiceError) -> Probe { Probe(base: try base.current(on: cpu)) }
}

@Suite("The wrapper that hides customizations") struct BasicOnlyTests {
  @Test func customizedFunctionsAreNeverCalledThroughIt() {
    let subject = ContractSubject("probe", Probe.self, hardware: walk)
    let clauses = ["IT-3", "HP-9", "AR-13", "LK-19", "SW-26", "FL-29", "IP-35"]
    for clause in clauses { #expect(ContractSuite.run(subject, only: clause).isPassed) }
    let direct = customized.exchange(0, ordering: .relaxed)
    #expect(direct > clauses.count)
    for clause in clauses { #expect(ContractSuite.run(subject.basicOnly, only: clause).isPassed) }
    #expect(customized.load(ordering: .relaxed) == 0)
  }
}
