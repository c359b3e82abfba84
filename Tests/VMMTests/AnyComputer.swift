// SPDX-License-Identifier: MIT
import ECPT
import EMTCore
import FPT
import Hashed
import Radix
import SimMemory
import Testing
import VMM

/// The drivers that tests of the memory manager run on.
enum TestDriver: String, CaseIterable, Sendable {
  case radix, fpt, hashed, ecpt

  /// A computer with one process, number 1.
  func computer(
    _ hugePages: HugePageSettings = HugePageSettings(policy: .always), bytes: UInt64 = 256 << 20
  ) throws -> any AnyComputer {
    switch self {
    case .radix: try Computer<RadixService>(bytes: bytes, hugePages: hugePages)
    case .fpt: try Computer<FPTL4L3L2L1Service>(bytes: bytes, hugePages: hugePages)
    case .hashed: try Computer<HashedService>(bytes: bytes, hugePages: hugePages)
    case .ecpt: try Computer<ECPTService>(bytes: bytes, hugePages: hugePages)
    }
  }
}

/// A computer on any driver, with processes by number.
protocol AnyComputer: AnyObject {
  func call(_ number: SystemCallNumber, _ arguments: [UInt64], pid: UInt32) throws(Errno) -> UInt64
  func load(_ address: UInt64, pid: UInt32) -> AccessOutcome
  func store(_ address: UInt64, _ value: UInt8, pid: UInt32) -> AccessOutcome
  func fork(_ child: UInt32, of parent: UInt32) throws(Errno)
  func exit(_ pid: UInt32)
  func collapseInBackground() -> UInt64
  func isHuge(_ address: UInt64, pid: UInt32) -> Bool
  func resident(pid: UInt32) -> UInt64
  func areaCount(pid: UInt32) -> Int
  func faults(pid: UInt32) -> FaultCounts
  var counts: HugePageCounts { get }
  var frames: FrameAllocator { get }
  var work: KernelWork { get }
  var firstError: String? { get }
  var reverseMapFault: String? { get }
  func finish()
}

extension AnyComputer {
  @discardableResult
  func call(_ number: SystemCallNumber, _ arguments: [UInt64]) throws(Errno) -> UInt64 {
    try call(number, arguments, pid: 1)
  }
  func refusal(_ number: SystemCallNumber, _ arguments: [UInt64], pid: UInt32 = 1) -> Errno? {
    do { _ = try call(number, arguments, pid: pid) } catch { return error }
    return nil
  }
  /// Private anonymous memory at a fixed address.
  func map(_ pages: UInt64, at address: UInt64, flags: UInt64 = 0) throws(Errno) {
    _ = try call(.mmap, [address, pages * page, 3, 0x32 | flags, .max, 0], pid: 1)
  }
  func load(_ address: UInt64) -> AccessOutcome { load(address, pid: 1) }
  @discardableResult func store(_ address: UInt64, _ value: UInt8) -> AccessOutcome {
    store(address, value, pid: 1)
  }
  func isHuge(_ address: UInt64) -> Bool { isHuge(address, pid: 1) }
  var resident: UInt64 { resident(pid: 1) }
  /// Every page's translations are found by its key.
  func expectReverseMap() { #expect(reverseMapFault == nil) }
  /// Everything is counted right.
  func expectSound(_ note: String = "") { #expect(firstError == nil, "\(note)") }
}

extension Computer: AnyComputer {
  func call(_ number: SystemCallNumber, _ arguments: [UInt64], pid: UInt32) throws(Errno) -> UInt64 {
    try call(number, arguments, in: kernel.process(pid))
  }
  func load(_ address: UInt64, pid: UInt32) -> AccessOutcome { load(address, in: try? kernel.process(pid)) }
  func store(_ address: UInt64, _ value: UInt8, pid: UInt32) -> AccessOutcome {
    store(address, value, in: try? kernel.process(pid))
  }
  func fork(_ child: UInt32, of parent: UInt32) throws(Errno) {
    _ = try kernel.fork(kernel.process(parent), child: child)
  }
  func exit(_ pid: UInt32) { kernel.exit(pid) }
  func collapseInBackground() -> UInt64 { kernel.collapseInBackground() }
  func isHuge(_ address: UInt64, pid: UInt32) -> Bool {
    guard let space = kernel.processes[pid]?.space else { return false }
    let object = space.database.find(VirtualAddress(address))
    return object.isMapped && object.size == .twoMiB
  }
  func resident(pid: UInt32) -> UInt64 { kernel.processes[pid]?.space.residentPages ?? 0 }
  func areaCount(pid: UInt32) -> Int { kernel.processes[pid]?.space.layout.areas.areas.count ?? 0 }
  func faults(pid: UInt32) -> FaultCounts { kernel.processes[pid]?.space.faults ?? FaultCounts() }
  var counts: HugePageCounts { kernel.hugePageCounts }
  var frames: FrameAllocator { owner.platform.frames }
  var work: KernelWork { owner.work }

  var firstError: String? { kernel.brokenCount() }
  var reverseMapFault: String? { kernel.reverseMapFault() }
}
