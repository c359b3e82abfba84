// SPDX-License-Identifier: MIT
import Catalog
import EMTCore
import MMU
import Machine
import SimMemory
import Testing
import VMM

let page: UInt64 = 4096
let huge: UInt64 = 2 << 20

/// A machine on any driver, as tests of the kernel's addresses and of several CPUs use it.
protocol AnyMachine: AnyObject {
  func start(_ pid: UInt32) throws(Errno)
  func fork(_ child: UInt32, of parent: UInt32) throws(Errno)
  func exit(_ pid: UInt32)
  func run(_ pid: UInt32, on cpu: Int) throws(Errno)
  func idle(_ cpu: Int)
  @discardableResult func call(_ number: SystemCallNumber, _ arguments: [UInt64], on cpu: Int) throws(Errno)
    -> UInt64
  func access(_ kind: AccessKind, _ address: VirtualAddress, on cpu: Int) -> MachineAccess
  func translate(_ kind: AccessKind, _ address: VirtualAddress, on cpu: Int, isUser: Bool) -> MMUResult
  func deliverInvalidations()
  func walks(on cpu: Int) -> UInt64
  func staleEntry() -> String?
  func allocate(_ pages: UInt64, _ options: KernelMemoryOptions) throws(Errno) -> VirtualRange
  func map(_ frames: [FrameNumber]) throws(Errno) -> VirtualRange
  func free(_ range: VirtualRange) throws(Errno)
  func purge() -> UInt64
  func protect(_ range: VirtualRange, _ protection: Protection) throws(Errno)
  func mapAllMemory() throws(Errno)
  func kernelPageSize(at address: VirtualAddress) -> PageSize?
  func evictEverything() -> UInt64
  func collapseInBackground() -> UInt64
  func isHuge(_ address: UInt64, pid: UInt32) -> Bool
  var kernelMemory: KernelMemory { get set }
  var kernelTables: UInt64 { get }
  var processTables: UInt64 { get }
  var pageSizes: PageSizes { get }
  var memory: PhysicalMemory { get }
  var frames: FrameAllocator { get }
  var work: KernelWork { get }
  func work(on cpu: Int) -> KernelWork
  var brokenCount: String? { get }
  func shutDown() -> UInt64
}

extension Machine: AnyMachine {
  func start(_ pid: UInt32) throws(Errno) { _ = try kernel.start(pid) }
  func fork(_ child: UInt32, of parent: UInt32) throws(Errno) {
    defer { deliverInvalidations() }
    _ = try kernel.fork(kernel.process(parent), child: child)
  }
  func exit(_ pid: UInt32) {
    kernel.exit(pid)
    deliverInvalidations()
  }
  func run(_ pid: UInt32, on cpu: Int) throws(Errno) { run(try kernel.process(pid), on: cpu) }
  func allocate(_ pages: UInt64, _ options: KernelMemoryOptions) throws(Errno) -> VirtualRange {
    defer { deliverInvalidations() }
    return try kernel.allocateKernelMemory(pages: pages, options)
  }
  func map(_ frames: [FrameNumber]) throws(Errno) -> VirtualRange { try kernel.mapKernelFrames(frames) }
  func free(_ range: VirtualRange) throws(Errno) {
    defer { deliverInvalidations() }
    try kernel.freeKernelMemory(at: range.start)
  }
  func purge() -> UInt64 {
    defer { deliverInvalidations() }
    return kernel.purgeKernelMemory()
  }
  func protect(_ range: VirtualRange, _ protection: Protection) throws(Errno) {
    defer { deliverInvalidations() }
    try kernel.setKernelProtection(of: range, to: protection)
  }
  func walks(on cpu: Int) -> UInt64 { units[cpu].mmu.statistics.total.walks }
  func mapAllMemory() throws(Errno) { try kernel.mapAllMemory() }
  func kernelPageSize(at address: VirtualAddress) -> PageSize? {
    let object = kernel.service.kernelDatabase.find(address)
    return object.isMapped ? object.size : nil
  }
  func evictEverything() -> UInt64 {
    defer { deliverInvalidations() }
    return kernel.reclaim(node: 0, count: 1 << 20)
  }
  func collapseInBackground() -> UInt64 {
    defer { deliverInvalidations() }
    return kernel.collapseInBackground()
  }
  func isHuge(_ address: UInt64, pid: UInt32) -> Bool {
    guard let space = kernel.processes[pid]?.space else { return false }
    let object = space.database.find(VirtualAddress(address))
    return object.isMapped && object.size > .base
  }
  var kernelMemory: KernelMemory {
    get { kernel.kernelMemory }
    set { kernel.kernelMemory = newValue }
  }
  var kernelTables: UInt64 { kernel.service.kernelDatabase.footprint.total }
  var processTables: UInt64 { kernel.tableBytes }
  var pageSizes: PageSizes { kernel.service.pageSizes }
  var memory: PhysicalMemory { platform.memory.memory }
  var frames: FrameAllocator { platform.memory.allocator }
  var work: KernelWork { platform.work }
  func work(on cpu: Int) -> KernelWork { platform.work(of: cpu) }
  var brokenCount: String? { kernel.brokenCount() }
}

extension AnyMachine {
  /// What the process on `cpu` reads, nil when it is refused.
  func load(_ address: UInt64, on cpu: Int) -> UInt8? {
    guard case .physical(let place) = access(.load, VirtualAddress(address), on: cpu) else { return nil }
    return memory.byte(at: place)
  }
  /// Whether the process on `cpu` may store.
  @discardableResult func store(_ address: UInt64, _ value: UInt8, on cpu: Int) -> Bool {
    guard case .physical(let place) = access(.store, VirtualAddress(address), on: cpu) else { return false }
    memory.setByte(value, at: place)
    return true
  }
  /// What the kernel on `cpu` reads through its own address, nil when the hardware refuses.
  func kernelLoad(_ address: VirtualAddress, on cpu: Int) -> UInt8? {
    guard case .physical(let place) = translate(.load, address, on: cpu, isUser: false) else { return nil }
    return memory.byte(at: place)
  }
  @discardableResult func kernelStore(_ address: VirtualAddress, _ value: UInt8, on cpu: Int) -> Bool {
    guard case .physical(let place) = translate(.store, address, on: cpu, isUser: false) else { return false }
    memory.setByte(value, at: place)
    return true
  }
  /// Whether user mode gets through to a kernel address.
  func userReaches(_ address: VirtualAddress, on cpu: Int) -> Bool {
    AccessKind.allCases.contains { isAllowed(translate($0, address, on: cpu, isUser: true)) }
  }
  func kernelMayStore(_ address: VirtualAddress, on cpu: Int) -> Bool {
    isAllowed(translate(.store, address, on: cpu, isUser: false))
  }
  private func isAllowed(_ result: MMUResult) -> Bool {
    if case .physical(_) = result { true } else { false }
  }
  func allocate(_ pages: UInt64) throws(Errno) -> VirtualRange { try allocate(pages, []) }
  /// Private anonymous memory at a fixed address.
  func mapUser(_ pages: UInt64, at address: UInt64, on cpu: Int) throws(Errno) {
    try call(.mmap, [address, pages * page, 3, 0x32, .max, 0], on: cpu)
  }
  /// Everything that may be checked at any time.
  func expectSound(_ note: String) {
    #expect(staleEntry() == nil, "\(note)")
    #expect(brokenCount == nil, "\(note)")
  }
}

extension VirtualRange {
  /// The address of page `number`.
  func page(_ number: UInt64) -> VirtualAddress { start.advanced(by: number * MachineTests.page) }
}

/// Runs a test on every driver with every set of options that it is tested with; no frame may be lost.
private struct OnEveryDriver: DriverVisitor {
  var configuration: MachineConfiguration
  let body: (any AnyMachine, String) throws -> Void

  mutating func visit<Service: TranslationService, Walker: PageWalker>(
    _ description: DriverDescription, _ service: Service.Type, _ walker: Walker.Type
  ) where Service.Root == Walker.Root {
    for options in description.testedOptions {
      let name = "\(description.name) \(options)"
      configuration.options = DriverOptions(options)
      do {
        let machine = try Machine<Service, Walker>(configuration)
        try body(machine, name)
        #expect(machine.shutDown() == 0, "\(name) loses frames")
      } catch { Issue.record("\(name): \(error)") }
    }
  }
}

func onEveryDriver(
  cpus: Int = 1, bytes: UInt64 = 64 << 20, _ configure: (inout MachineConfiguration) -> Void = { _ in },
  _ body: @escaping (any AnyMachine, String) throws -> Void
) {
  var configuration = MachineConfiguration()
  configuration.memory = MemoryGeometry(bytes: bytes)
  configuration.cpus = cpus
  configure(&configuration)
  var visitor = OnEveryDriver(configuration: configuration, body: body)
  DriverCatalog.visit(&visitor)
}
