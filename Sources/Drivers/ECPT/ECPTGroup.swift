// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

/// Consecutive entries of one cluster, as of one moment: what range operations work on.
///
/// Base pages come as many as the cluster and the range share, mapped or not; larger pages one by one.
@frozen @usableFromInline struct ECPTGroup {
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
    (self.start, self.size, self.count) = (start, size, count)
  }

  /// The page at `index`.
  @inlinable func object(_ index: Int) -> X86Object {
    X86Object(
      start.advanced(by: UInt64(truncatingIfNeeded: index) &<< UInt64(size.shift)), size,
      entry: X86Entry(words[index]))
  }

  /// The pages from `first` on.
  @inlinable func part(from first: Int, count: Int) -> ECPTGroup {
    var part = ECPTGroup(object(first).start, size, count: count)
    for index in 0..<count { part.words[index] = words[first &+ index] }
    return part
  }

  /// The span of all pages.
  @inlinable var span: VirtualRange {
    VirtualRange(start, bytes: UInt64(truncatingIfNeeded: count) &<< UInt64(size.shift))
  }

  /// The indices of mapped pages.
  @inlinable var mapped: LazyFilterSequence<Range<Int>> {
    (0..<count).lazy.filter { [words] in words[$0] != 0 }
  }

  /// Adds the flushes that a change of all these pages owes.
  @inlinable func owe(_ flushed: inout FlushSpan) {
    for index in 0..<count where X86Entry(words[index]).isResident {
      flushed.add(page: object(index).start, size)
    }
  }
}

extension ECPTDatabase {
  /// The next group at or behind `position` and before `end`; `position` moves behind it. Voids are passed.
  @inlinable func nextGroup(_ position: inout VirtualAddress, _ end: VirtualAddress) -> ECPTGroup? {
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

  /// Calls `body` for every group in `range`; on failure the flushes so far are settled.
  @inlinable @inline(__always)
  func forEachGroup(
    in range: VirtualRange, _ body: (ECPTGroup, inout FlushSpan) throws(RangeFailure) -> Void
  ) throws(RangeFailure) -> FlushObligation {
    var flushed = FlushSpan()
    var position = range.start
    while let group = nextGroup(&position, range.end) {
      do throws(RangeFailure) {
        guard group.size == .base || range.contains(group.span) else {
          throw RangeFailure(
            firstNotDone: Swift.max(group.start, range.start),
            reason: .sizeConflict(existing: group.start, size: group.size))
        }
        try body(group, &flushed)
      } catch {
        settle(flushed.obligation())
        throw error
      }
    }
    return flushed.obligation()
  }

  /// What is at `address`, and behind it in the same cluster before `end`; a void has no location.
  @inlinable func group(at address: VirtualAddress, _ end: VirtualAddress) -> ECPTGroup {
    while true {
      let generation = context.generation
      let object = search(address, generation)
      var group = ECPTGroup(address.aligned(down: object.size), object.size, count: 1)
      group.location = object.location
      group.generation = generation
      if object.location != 0, object.size == .base {
        let inCluster = 8 &- Int(truncatingIfNeeded: address.pageNumber & 7)
        group.count = Swift.min(inCluster, Int(clamping: VirtualRange(address, end).pages))
        for index in 0..<group.count {
          let raw = memory.loadAcquire(PhysicalAddress(object.location).advanced(by: UInt64(index) &<< 3))
          group.words[index] = X86Entry(raw).mapping
        }
      } else {
        group.words[0] = object.entry.mapping
      }
      if context.generation == generation { return group }
    }
  }

  /// Where the first entry of `group` is now. A structure lock is held.
  @inlinable func location(of group: ECPTGroup) -> PhysicalAddress? {
    if group.location != 0, group.generation == context.generation {
      return PhysicalAddress(group.location)
    }
    return ECPTFormat.table(for: group.size).flatMap { entry(group.start, $0) }
  }

  /// Stores what `group` maps, at once for the whole cluster, and moves a resize of the table on.
  /// - Returns: what was mapped there before.
  @usableFromInline func put(_ group: ECPTGroup) throws(TranslationError) -> ECPTGroup {
    let table = try table(for: group.object(0))
    return try alone { () throws(TranslationError) -> ECPTGroup in
      guard let summary = summary(of: group.start) ?? makeSummary(group.start) else { throw .outOfMemory }
      if !isFree(summary, group.object(0), table), let conflict = otherSize(group.object(0)) {
        throw conflict
      }
      let number = ECPTFormat.number(group.start, table)
      let first = ECPTFormat.entryOffset(group.start, table)
      let isLocated = group.location != 0 && group.generation == context.generation
      var (old, fresh, free) = (group, Int64(0), PhysicalAddress?.none)
      let slot =
        isLocated ? PhysicalAddress(group.location & ~63) : self.slot(of: number, table, orFree: &free)
      if let slot {
        for index in 0..<group.count where group.words[index] != 0 {
          let raw = store(group.words[index], at: slot.advanced(by: first &+ UInt64(index) &<< 3))
          old.words[index] = X86Entry(raw).mapping
          if X86Entry(raw).isNone { fresh &+= 1 }
        }
        stepOne(table)
      } else {
        var hasStepped = false
        guard let slot = claim(number, table, free, &hasStepped) else {
          dropSummary(group.start)
          throw .outOfMemory
        }
        fresh = fill(slot, number, table, group.words, first)
        if !hasStepped { stepOne(table) }
        old.words = InlineArray(repeating: 0)
      }
      if fresh != 0, tally(summary, group.start, table, fresh) { refreshHeaders(group.start) }
      return old
    }
  }

  /// Removes what `group` has pages for.
  /// - Returns: what was mapped there.
  @usableFromInline func takeOut(_ group: ECPTGroup) -> ECPTGroup {
    var taken = group
    taken.words = InlineArray(repeating: 0)
    guard let table = ECPTFormat.table(for: group.size) else { return taken }
    var isBoundary = false
    shared {
      guard let place = location(of: group) else { return }
      var gone: Int64 = 0
      for index in 0..<group.count where group.words[index] != 0 {
        let raw = erase(at: place.advanced(by: UInt64(index) &<< 3), table)
        taken.words[index] = X86Entry(raw).mapping
        if taken.words[index] != 0 { gone -= 1 }
      }
      if gone != 0 { isBoundary = tally(summary(of: group.start), group.start, table, gone) }
    }
    if isBoundary { noteBoundary(group.start) }
    return taken
  }

  /// Frees summaries of a range that was removed, and makes tables smaller, or moves that on by a step.
  @usableFromInline func giveBack(_ range: VirtualRange) {
    alone {
      var position = range.start.aligned(down: ECPTSummary.span)
      while position < range.end, word(ECPTWord.summaries) != 0 {
        dropSummary(position)
        let next = position.advanced(by: ECPTSummary.span.bytes)
        guard next > position else { break }
        position = next
      }
      for table in 0..<ECPTFormat.tables { shrinkIfSparse(table) }
      stepOne(0)
    }
  }

  /// Changes the mappings of `group` where they are, keeping what the hardware sets meanwhile.
  @inlinable func rewrite(_ group: ECPTGroup, _ body: (UInt64) -> UInt64) {
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
