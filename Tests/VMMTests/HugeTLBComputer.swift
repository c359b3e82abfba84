// SPDX-License-Identifier: MIT
import ECPT
import EMTCore
import FPT
import Hashed
import Radix
import SimMemory
import Testing
import VMM

/// The drivers that tests of pooled huge pages run on.
enum PoolDriver: String, CaseIterable, Sendable {
  case radix, radix5, fpt, hashed, ecpt

  /// A computer with one process, number 1, and a pool of `pages` pages of 2 MiB.
  func computer(pages: UInt64 = 8, bytes: UInt64 = 64 << 20) throws -> any PoolComputer {
    let computer: any PoolComputer =
      switch self {
      case .radix: try Computer<RadixService>(bytes: bytes)
      case .radix5: try Computer<Radix5Service>(bytes: bytes)
      case .fpt: try Computer<FPTL4L3L2L1Service>(bytes: bytes)
      case .hashed: try Computer<HashedService>(bytes: bytes)
      case .ecpt: try Computer<ECPTService>(bytes: bytes)
      }
    try computer.setPool(pages)
    return computer
  }
}

/// A computer whose pools of huge pages can be seen.
protocol PoolComputer: AnyComputer {
  var memory: PhysicalMemory { get }
  func pool(_ size: PageSize) throws(Errno) -> HugePageCounters
  func setPool(_ size: PageSize, _ pages: UInt64) throws(Errno) -> UInt64
  func setOvercommit(_ size: PageSize, _ pages: UInt64) throws(Errno)
  func open(_ path: String, flags: UInt64, as descriptor: UInt64, pid: UInt32) throws
  func close(_ descriptor: UInt64)
  func mount(_ size: PageSize, at path: String) throws(Errno)
  func setUser(_ user: UInt32, _ privileges: Privileges, pid: UInt32)
  func use(pid: UInt32) -> MemoryUse
  func pageMap(_ address: UInt64, pid: UInt32) -> PageMapEntry
  func residentPages(_ address: UInt64, _ bytes: UInt64, pid: UInt32) -> UInt64
  func limitSegments(to count: Int)
  func followDemand()
  func reclaimEverything()
  func copyUser(_ address: UInt64, _ bytes: UInt64, _ kind: AccessKind, pid: UInt32) throws(Errno)
}

extension PoolComputer {
  /// Total, free, reserved and surplus pages of 2 MiB.
  var pool: [UInt64] { pool2M.map { [$0.total, $0.free, $0.reserved, $0.surplus] } ?? [] }
  private var pool2M: HugePageCounters? { try? pool(.twoMiB) }
  @discardableResult func setPool(_ pages: UInt64) throws(Errno) -> UInt64 { try setPool(.twoMiB, pages) }
  func setOvercommit(_ pages: UInt64) throws(Errno) { try setOvercommit(.twoMiB, pages) }

  /// Maps `pages` huge pages, at an address or anywhere.
  func mapHuge(
    _ pages: UInt64, at address: UInt64 = 0, flags: UInt64 = Flag.private, pid: UInt32 = 1
  ) throws(Errno) -> UInt64 {
    try call(
      .mmap,
      [
        address, pages * huge, 3, flags | Flag.anonymous | Flag.huge | (address == 0 ? 0 : Flag.fixed), .max,
        0,
      ],
      pid: pid)
  }

  /// Maps a part of a file shared, or as `flags` say.
  func mapFile(
    _ descriptor: UInt64, pages: UInt64, from first: UInt64 = 0, flags: UInt64 = Flag.shared,
    rights: UInt64 = 3,
    pid: UInt32 = 1
  ) throws(Errno) -> UInt64 {
    try call(.mmap, [0, pages * huge, rights, flags, descriptor, first * huge], pid: pid)
  }

  /// A memfd of huge pages.
  func hugeFile(_ flags: UInt64 = 4) throws(Errno) -> UInt64 { try call(.memfdCreate, [0, flags]) }

  func store(_ value: UInt8, page: UInt64, of address: UInt64, pid: UInt32 = 1) -> AccessOutcome {
    store(address + page * huge + 12345, value, pid: pid)
  }
  func load(page: UInt64, of address: UInt64, pid: UInt32 = 1) -> AccessOutcome {
    load(address + page * huge + 12345, pid: pid)
  }
}

/// Linux's numbers that these tests use.
enum Flag {
  static let shared: UInt64 = 1
  static let `private`: UInt64 = 2
  static let fixed: UInt64 = 0x10
  static let anonymous: UInt64 = 0x20
  static let noReserve: UInt64 = 0x4000
  static let populate: UInt64 = 0x8000
  static let huge: UInt64 = 0x40000
  static let huge2M: UInt64 = 21 << 26
  static let huge1G: UInt64 = 30 << 26
}

extension Computer: PoolComputer {
  var memory: PhysicalMemory { owner.memory.memory }
  func pool(_ size: PageSize) throws(Errno) -> HugePageCounters { try kernel.hugePagePool(size) }
  func setPool(_ size: PageSize, _ pages: UInt64) throws(Errno) -> UInt64 {
    try kernel.setHugePages(size, pages)
  }
  func setOvercommit(_ size: PageSize, _ pages: UInt64) throws(Errno) {
    try kernel.setHugePageOvercommit(size, pages)
  }
  func open(_ path: String, flags: UInt64, as descriptor: UInt64, pid: UInt32) throws {
    kernel.follow(
      try kernel.process(pid), FileCall(.open, [0, flags], strings: [0: path], result: descriptor))
  }
  func close(_ descriptor: UInt64) {
    kernel.follow(process, FileCall(.close, [descriptor], strings: [:], result: 0))
  }
  func mount(_ size: PageSize, at path: String) throws(Errno) { try kernel.mountHugePages(size, at: path) }
  func setUser(_ user: UInt32, _ privileges: Privileges, pid: UInt32) {
    kernel.processes[pid]?.user = user
    kernel.processes[pid]?.privileges = privileges
  }
  func use(pid: UInt32) -> MemoryUse {
    guard let space = kernel.processes[pid]?.space else { return MemoryUse() }
    return kernel.memoryUse(space).reduce(MemoryUse()) { $0 + $1.use }
  }
  func pageMap(_ address: UInt64, pid: UInt32) -> PageMapEntry {
    guard let space = kernel.processes[pid]?.space else { return PageMapEntry() }
    return kernel.pageMap(space, VirtualRange(page: VirtualAddress(address), .base))[0]
  }
  func residentPages(_ address: UInt64, _ bytes: UInt64, pid: UInt32) -> UInt64 {
    guard let space = kernel.processes[pid]?.space else { return 0 }
    return kernel.residentPages(space, VirtualRange(VirtualAddress(address), bytes: bytes))
  }
  func limitSegments(to count: Int) { kernel.segments.maximumCount = count }
  func followDemand() { kernel.hugePoolsFollowDemand = true }
  func reclaimEverything() { _ = kernel.reclaim(node: 0, count: .max) }
  func copyUser(_ address: UInt64, _ bytes: UInt64, _ kind: AccessKind, pid: UInt32) throws(Errno) {
    try kernel.copyUser(kernel.process(pid), VirtualRange(VirtualAddress(address), bytes: bytes), kind)
  }
}
