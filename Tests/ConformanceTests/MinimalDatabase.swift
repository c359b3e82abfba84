// SPDX-License-Identifier: MIT
import EMTCore
import EntryFormats
import SimMemory
import X86Object

/// A driver with the 15 basic functions and nothing else: a four-level x86-64 table, written for reading.
struct MinimalDatabase: TranslationDatabase {
  typealias Object = X86Object
  typealias Service = MinimalService

  var context: DatabaseContext
  let root: FrameNumber

  private var memory: PhysicalMemory { context.platform.memory }
  private var frames: FrameAllocator { context.platform.frames }

  /// The deepest entry on the way to `address`, at `target` or above.
  private func descend(
    _ address: VirtualAddress, to target: Int
  ) -> (place: PhysicalAddress, level: Int, entry: X86Entry) {
    var (level, table) = (RadixFormat.rootLevel, root.address)
    while true {
      let place = table.advanced(by: RadixFormat.entryOffset(address, level))
      let entry = X86Entry(memory.loadAcquire(place))
      guard level > target, isTable(entry, level) else { return (place, level, entry) }
      (level, table) = (level - 1, entry.table)
    }
  }

  private func isTable(_ entry: X86Entry, _ level: Int) -> Bool {
    level > 0 && entry.isPresent && entry.raw & X86Entry.pageSize == 0
  }

  private func level(_ size: PageSize) -> Int { (Int(size.shift) - 12) / 9 }

  func find(_ address: VirtualAddress) -> X86Object {
    guard RadixFormat.isCanonical(address) else {
      return X86Object(unmappedAt: address.aligned(down: .base), size: .base)
    }
    let (_, level, entry) = descend(address, to: 0)
    return X86Object(address, RadixFormat.span(level), entry: entry)
  }

  func update(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    guard object.isMapped else { throw .notMapped }
    guard context.pageSizes.contains(object.size) else { throw .unsupportedSize(object.size) }
    guard RadixFormat.isCanonical(object.start) else { throw .badAddress(object.start) }
    let target = level(object.size)
    var (place, level, entry) = descend(object.start, to: target)
    if level > target {
      guard entry.isNone else { throw conflict(object.start, level) }
      var fresh: [FrameNumber] = []
      while fresh.count < level - target {
        var didClear = false
        guard let frame = frames.allocateZeroed(didClear: &didClear) else {
          for frame in fresh { frames.free(frame) }
          throw .outOfMemory
        }
        fresh.append(frame)
      }
      for frame in fresh {
        memory.storeRelease(
          frame.address.raw | X86Entry.present | X86Entry.writable | X86Entry.user, at: place)
        level -= 1
        place = frame.address.advanced(by: RadixFormat.entryOffset(object.start, level))
      }
      entry = X86Entry(0)
    }
    guard isTable(entry, target) else {
      let old = X86Entry(memory.exchange(object.entry.raw, at: place))
      return Change(old: X86Object(object.start, object.size, entry: old))
    }
    if let conflict = firstMapped(entry.table, target - 1, object.start) { throw conflict }
    memory.storeRelease(object.entry.raw, at: place)
    forEachTable(entry.table.frame, target - 1) { frames.free($0) }
    return Change(old: X86Object(unmappedAt: object.start, size: object.size))
  }

  func remove(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    let target = level(object.size)
    let (place, level, entry) = descend(object.start, to: target)
    if isTable(entry, level) { throw firstMapped(entry.table, level - 1, object.start) ?? .notMapped }
    if entry.isNone { throw .notMapped }
    if level > target { throw conflict(object.start, level) }
    let old = X86Entry(memory.exchange(0, at: place))
    return Change(old: X86Object(object.start, object.size, entry: old))
  }

  private func conflict(_ address: VirtualAddress, _ level: Int) -> TranslationError {
    .sizeConflict(existing: address.aligned(down: RadixFormat.span(level)), size: RadixFormat.span(level))
  }

  private func firstMapped(_ table: PhysicalAddress, _ level: Int, _ start: VirtualAddress)
    -> TranslationError?
  {
    for slot in 0..<RadixFormat.entries {
      let entry = X86Entry(memory.loadAcquire(table.advanced(by: slot * 8)))
      let address = start.advanced(by: slot * RadixFormat.span(level).bytes)
      if isTable(entry, level), let inside = firstMapped(entry.table, level - 1, address) { return inside }
      if !isTable(entry, level), !entry.isNone { return conflict(address, level) }
    }
    return nil
  }

  /// Visits the tables below `table`, deepest first. A user's root shares its upper half with the kernel.
  private func forEachTable(_ table: FrameNumber, _ level: Int, _ body: (FrameNumber) -> Void) {
    let slots = level == RadixFormat.rootLevel && context.spaceID != .kernel ? 256 : RadixFormat.entries
    for slot in 0..<slots {
      let entry = X86Entry(memory.loadAcquire(table.address.advanced(by: slot * 8)))
      if isTable(entry, level) { forEachTable(entry.table.frame, level - 1, body) }
    }
    body(table)
  }

  var footprint: TableFootprint {
    var tables: UInt64 = 0
    forEachTable(root, RadixFormat.rootLevel) { _ in tables += 1 }
    return TableFootprint(nodes: tables << 12)
  }

  func release() { forEachTable(root, RadixFormat.rootLevel) { frames.free($0) } }
}
