// SPDX-License-Identifier: MIT
import EntryFormats
import MMU
import SimMemory

/// Simulated memory with page tables that tests write bit by bit.
final class Fixture: Sendable {
  static let present = X86Entry.present
  static let readWrite = X86Entry.present | X86Entry.writable | X86Entry.user
  static let readOnly = X86Entry.present | X86Entry.user
  static let huge = X86Entry.pageSize

  let simulated: SimulatedMemory
  let memory: PhysicalMemory
  let root: RadixRoot

  init(bytes: UInt64 = 4 << 30, spaceID: UInt16 = 1) throws {
    simulated = try SimulatedMemory(MemoryGeometry(bytes: bytes))
    memory = simulated.memory
    root = RadixRoot(table: Fixture.table(simulated), spaceID: spaceID)
  }

  /// A zeroed frame.
  static func table(_ simulated: SimulatedMemory) -> PhysicalAddress {
    var didClear = false
    guard let frame = simulated.allocator.allocateZeroed(didClear: &didClear) else {
      fatalError("no memory for a table")
    }
    return frame.address
  }

  func table() -> PhysicalAddress { Fixture.table(simulated) }

  func otherRoot(spaceID: UInt16) -> RadixRoot { RadixRoot(table: table(), spaceID: spaceID) }

  /// Where the entry for `address` at `level` is; makes the tables above with `flags`.
  func entry(
    _ address: UInt64, level: Int, root: RadixRoot? = nil, flags: UInt64 = Fixture.readWrite
  ) -> PhysicalAddress {
    var table = (root ?? self.root).table
    var at = RadixFormat.rootLevel
    while true {
      let place = table.advanced(by: RadixFormat.entryOffset(VirtualAddress(address), at))
      if at == level { return place }
      let raw = memory.loadRelaxed(place)
      if raw & X86Entry.present == 0 {
        table = self.table()
        memory.storeRelaxed(table.raw | flags, at: place)
      } else {
        table = X86Entry(raw).table
      }
      at -= 1
    }
  }

  /// Writes a leaf at `level` and returns where it is.
  @discardableResult func map(
    _ address: UInt64, to page: UInt64, level: Int = 0, flags: UInt64 = Fixture.readWrite,
    root: RadixRoot? = nil, upperFlags: UInt64 = Fixture.readWrite
  ) -> PhysicalAddress {
    let place = entry(address, level: level, root: root, flags: upperFlags)
    memory.storeRelease(page | flags | (level > 0 ? Fixture.huge : 0), at: place)
    return place
  }

  func hardware(
    _ tlbs: TLBConfiguration = .standard, _ walker: RadixWalkerConfiguration = .standard,
    costs: CycleCosts = CycleCosts()
  ) -> SimulatedMMU<RadixWalker> {
    SimulatedMMU(memory: memory, tlbs: tlbs, walker: walker, costs: costs)
  }

  /// The page of `size` whose flags are given, as a walk reports it.
  static func translation(
    _ page: UInt64, _ size: PageSize = .base, writable: Bool = true, user: Bool = true,
    executable: Bool = true,
    global: Bool = false, dirty: Bool = false
  ) -> Translation {
    let rights =
      (writable ? Translation.writable : 0) | (user ? Translation.user : 0)
      | (executable ? Translation.executable : 0) | (global ? Translation.global : 0)
      | (dirty ? Translation.dirty : 0)
    return Translation(page: PhysicalAddress(page), size: size, rights: rights)
  }
}

extension MMU where Walker == RadixWalker {
  /// The physical address of a user access, or nil on a fault.
  func physical(_ address: UInt64, _ access: AccessKind, _ root: RadixRoot) -> UInt64? {
    guard case .physical(let physical) = translate(VirtualAddress(address), access, root, isUser: true) else {
      return nil
    }
    return physical.raw
  }

  func physical(_ address: UInt64, _ root: RadixRoot) -> UInt64? { physical(address, .load, root) }

  func fault(_ address: UInt64, _ root: RadixRoot) -> FaultReason? { fault(address, .load, root) }

  /// The reason for which an access faults, or nil.
  func fault(
    _ address: UInt64, _ access: AccessKind, _ root: RadixRoot, isUser: Bool = true
  ) -> FaultReason? {
    guard case .fault(let fault) = translate(VirtualAddress(address), access, root, isUser: isUser) else {
      return nil
    }
    return fault.reason
  }
}

extension TLBLevelConfiguration {
  /// A level that keeps nothing.
  static var absent: TLBLevelConfiguration {
    TLBLevelConfiguration(base: TLBGeometry(entries: 0, ways: 1), twoMiB: .none, oneGiB: .none)
  }

  /// A level that keeps everything in one array.
  static func unified(_ entries: Int, _ ways: Int) -> TLBLevelConfiguration {
    TLBLevelConfiguration(
      base: TLBGeometry(entries: entries, ways: ways), twoMiB: .unified, oneGiB: .unified)
  }
}

/// A small generator with a fixed sequence (xorshift64*), so that failures repeat.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }
}
