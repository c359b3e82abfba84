// SPDX-License-Identifier: MIT
import Conformance
import EMTCore
import EntryFormats
import MMU
import Radix
import SimMemory
import Testing
import X86Object

@Suite("Five-level paging") struct Radix5Tests {
  static var subject: ContractSubject<Radix5Database> {
    ContractSubject("radix5", Radix5Database.self, walker: Radix5Walker.self)
  }

  /// All checks but one, which takes 2^47 for an address that nobody can map; see `addressesHave57Bits`.
  @Test func itKeepsTheContract() {
    let tooNarrow = "DB-5 refusals"
    let report = ContractSuite.run(Radix5Tests.subject, parts: [.contract])
    #expect(report.failures.allSatisfy { $0.check == tooNarrow }, "\(report)")
    let basic = ContractSuite.run(Radix5Tests.subject.basicOnly, parts: [.contract])
    #expect(basic.failures.allSatisfy { $0.check == tooNarrow }, "\(basic)")
    #expect(report.checks.contains(tooNarrow) && report.checks.count > 80)
  }

  @Test(arguments: [41, 42] as [UInt64]) func itAgreesWithTheModel(seed: UInt64) {
    let failure = Differential.explore(Radix5Tests.subject, seed: seed, steps: 400)
    #expect(failure == nil, "\(failure?.description ?? "")")
    let basic = Differential.explore(Radix5Tests.subject.basicOnly, seed: seed, steps: 200)
    #expect(basic == nil, "\(basic?.description ?? "")")
  }

  @Test func addressesHave57Bits() throws {
    let owner = try SimulatedPlatform(MemoryGeometry(bytes: 64 << 20))
    let free = owner.platform.frames.freeFrames
    let service = try Radix5Service.boot(owner.platform, options: DriverOptions())
    let kernel = service.kernelDatabase
    let context = DatabaseContext(
      platform: owner.platform, spaceID: AddressSpaceID(1), pageSizes: service.pageSizes)
    let user = try service.makeDatabase(context)
    _ = try service.switchTo(user, on: 0)
    let walker = Radix5Walker(memory: owner.platform.memory, configuration: .withoutCaches)
    func check(_ database: Radix5Database, _ address: UInt64, frame: UInt64) throws {
      var object = X86Object(unmappedAt: VirtualAddress(address), size: .base)
      object.isPresent = true
      object.isUser = true
      object.frame = FrameNumber(frame)
      database.settle(try database.update(object).takeObligation())
      #expect(database.find(VirtualAddress(address)).frame == FrameNumber(frame))
      var steps = WalkSteps()
      let result = walker.walk(
        service.registers[0], VirtualAddress(address), .load, isUser: true, recorder: &steps)
      #expect(result.translation?.page.frame == FrameNumber(frame) && result.references == 5)
      #expect(steps.steps.map(\.index) == [4, 3, 2, 1, 0])
    }
    for address in [0, 1 << 47 - 4096, 1 << 47, 1 << 56 - 4096] as [UInt64] {
      try check(user, address, frame: 1 + address >> 44)
    }
    for address in [~0 << 56, ~0 << 47, ~0 - 8191] as [UInt64] { try check(kernel, address, frame: 9) }
    #expect(user.find(VirtualAddress(1 << 52)).size == PageSize(shift: 48))
    for address in [1 << 56, ~0 << 56 - 4096, ~0 - 4095] as [UInt64] {
      var bad = X86Object(unmappedAt: VirtualAddress(address), size: .base)
      bad.isPresent = true
      for database in [user, kernel] {
        #expect(throws: TranslationError.badAddress(bad.start)) { _ = try database.update(bad) }
      }
      #expect(!user.find(VirtualAddress(address)).isMapped && !kernel.find(VirtualAddress(address)).isMapped)
      #expect(throws: TranslationError.notMapped) { _ = try user.remove(bad) }
      #expect(walker.walk(service.registers[0], bad.start, .load, isUser: true).fault == .notMapped)
    }
    walker.release()
    _ = try service.switchTo(kernel, on: 0)
    try service.destroy(user)
    context.destroy()
    service.shutDown()
    #expect(owner.platform.frames.freeFrames == free)
  }

  @Test func walkCachesKnowEveryLevel() throws {
    let owner = try SimulatedPlatform(MemoryGeometry(bytes: 64 << 20))
    let service = try Radix5Service.boot(owner.platform, options: DriverOptions())
    let walker = Radix5Walker(memory: owner.platform.memory)
    var object = X86Object(unmappedAt: VirtualAddress(~0 << 56), size: .base)
    object.isPresent = true
    service.kernelDatabase.settle(try service.kernelDatabase.update(object).takeObligation())
    let root = service.registers[0]
    #expect(walker.walk(root, object.start, .load, isUser: false).references == 5)
    #expect(Set(walker.cachedTables.map(\.level)) == [1, 2, 3, 4])
    #expect(walker.walk(root, object.start, .load, isUser: false).references == 1)
    walker.invalidateEveryone(range: nil)
    #expect(walker.walk(root, object.start, .load, isUser: false).references == 5)
    walker.release()
    service.shutDown()
  }
}
