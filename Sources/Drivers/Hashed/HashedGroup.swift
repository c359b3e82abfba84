// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

/// Consecutive entries of one cluster, as of one moment: what range operations work on.
///
/// Base pages come as many as the cluster and the range share, mapped or not; larger pages one by one.
@frozen @usableFromInline struct HashedGroup {
  /// The first page, and the size of all.
  @usableFromInline var start: VirtualAddress
  @usableFromInline var size: PageSize
  /// How many pages.
  @usableFromInline var count: Int
  /// The mappings; zero for a page that is not mapped, and behind `count`.
  @usableFromInline var words = InlineArray<8, UInt64>(repeating: 0)
  /// Where the first entry was in the move generation `generation`. Zero: not known.
  @usableFromInline var location: UInt64 = 0
  @usableFromInline var generation: UInt64 = 0

  @inlinable init(_ start: VirtualAddress, _ size: PageSize, count: Int) {
    self.start = start
    self.size = size
    self.count = count
  }

  /// The page at `index`.
  @inlinable func object(_ index: Int) -> X86Object {
    X86Object(
      start.advanced(by: UInt64(truncatingIfNeeded: index) &<< UInt64(size.shift)), size,
      entry: X86Entry(words[index]))
  }

  /// The pages from `first` on.
  @inlinable func part(from first: Int, count: Int) -> HashedGroup {
    var part = HashedGroup(object(first).start, size, count: count)
    for index in 0..<count { part.words[index] = words[first &+ index] }
    return part
  }

  /// The span of all pages.
  @inlinable var span: VirtualRange {
    VirtualRange(start, bytes: UInt64(truncatingIfNeeded: count) &<< UInt64(size.shift))
  }
}

extension HashedDatabase {
  /// The next group at or behind `position` and before `end`; `position` moves behind it. Voids are passed.
  @inlinable func nextGroup(_ position: inout VirtualAddress, _ end: VirtualAddress) -> HashedGroup? {
    while position < end {
      context.meter.count(.rangeGroup)
      context.meter.count(.lookup)
      let group = group(at: position, end)
      let behind = group.span.end
      position = behind.raw == 0 || behind > end ? end : behind
      if group.location != 0 { return group }
    }
    return nil
  }

  /// What is at `address`, and behind it in the same cluster before `end`; a void has no location.
  @inlinable func group(at address: VirtualAddress, _ end: VirtualAddress) -> HashedGroup {
    while true {
      let generation = context.generation
      let place = search(address, generation)
      var group = HashedGroup(address.aligned(down: place.span), place.span, count: 1)
      group.location = place.location
      group.generation = generation
      if place.isInBaseCluster {
        let inCluster = 8 &- Int(truncatingIfNeeded: address.pageNumber & 7)
        group.count = Swift.min(inCluster, Int(clamping: VirtualRange(address, end).pages))
        for index in 0..<group.count {
          let raw = memory.loadAcquire(PhysicalAddress(place.location).advanced(by: UInt64(index) &<< 3))
          group.words[index] = X86Entry(raw).mapping
        }
      } else {
        group.words[0] = place.entry.mapping
      }
      if context.generation == generation { return group }
    }
  }

  /// Where the first entry of `group` is now. A structure lock is held.
  @inlinable func location(of group: HashedGroup) -> PhysicalAddress? {
    if group.location != 0, group.generation == context.generation {
      return PhysicalAddress(group.location)
    }
    return HashedFormat.table(for: group.size).flatMap { entry(group.start, $0) }
  }

  /// Stores what `group` maps, at once for the whole cluster.
  /// - Returns: what was mapped there before.
  @inlinable func put(_ group: HashedGroup) throws(TranslationError) -> HashedGroup {
    let table = try place(for: group.object(0))
    if let conflict = otherSize(group.object(0)) { throw conflict }
    context.meter.count(.rangeGroup)
    return try alone { () throws(TranslationError) -> HashedGroup in
      var old = group
      let first = HashedFormat.entryOffset(group.start, table)
      let number = HashedFormat.number(group.start, table)
      if let place = location(of: group) {
        for index in 0..<group.count {
          let offset = UInt64(truncatingIfNeeded: index) &<< 3
          guard group.words[index] != 0 else { continue }
          let bits = HashedFormat.schemeBits(number, at: first &+ offset)
          let raw = memory.exchange(group.words[index] | bits, at: place.advanced(by: offset))
          old.words[index] = X86Entry(raw).mapping
        }
      } else {
        fill(try claim(number, table), number, table) { offset in
          let index = Int(truncatingIfNeeded: (offset &- first) &>> 3)
          return offset >= first && index < group.count ? group.words[index] : 0
        }
        old.words = InlineArray(repeating: 0)
      }
      stepResizing(table)
      return old
    }
  }

  /// Removes what `group` has pages for, and frees the cluster when it maps nothing then.
  /// - Returns: what was mapped there.
  @inlinable func takeOut(_ group: HashedGroup) -> HashedGroup {
    var taken = group
    guard let table = HashedFormat.table(for: group.size) else { return taken }
    alone {
      taken.words = InlineArray(repeating: 0)
      guard let place = location(of: group) else { return }
      let number = HashedFormat.number(group.start, table)
      for index in 0..<group.count {
        guard group.words[index] != 0 else { continue }
        let entry = place.advanced(by: UInt64(truncatingIfNeeded: index) &<< 3)
        let raw = memory.exchange(HashedFormat.schemeBits(number, at: entry.raw & 63), at: entry)
        taken.words[index] = X86Entry(raw).mapping
      }
      let slot = PhysicalAddress(place.raw & ~63)
      if isEmpty(slot) { free(slot, table) }
      stepResizing(table)
    }
    return taken
  }

  /// Changes the mappings of `group` where they are, keeping what the hardware sets meanwhile.
  @inlinable func rewrite(_ group: HashedGroup, _ body: (UInt64) -> UInt64) {
    shared {
      guard let place = location(of: group) else { return }
      for index in 0..<group.count {
        guard group.words[index] != 0 else { continue }
        let entry = place.advanced(by: UInt64(truncatingIfNeeded: index) &<< 3)
        var raw = memory.loadRelaxed(entry)
        while true {
          let changed = body(X86Entry(raw).mapping) | raw & X86Entry.schemeMask
          let seen = memory.compareExchange(raw, changed, at: entry)
          if seen == raw { break }
          raw = seen
        }
      }
    }
  }
}
