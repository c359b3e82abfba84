// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

extension ECPTDatabase {
  /// Customizable 13. One search for each cluster's span up to the first mapped page; a void table is one step.
  @inlinable public func isVoid(_ range: VirtualRange) -> Bool {
    var position = range.start
    while let group = nextGroup(&position, range.end) {
      for index in 0..<group.count where group.words[index] != 0 { return false }
    }
    return true
  }

  /// Customizable 14. One search for each cluster's span.
  @inlinable public func countMapped(in range: VirtualRange) -> UInt64 {
    var position = range.start
    var pages: UInt64 = 0
    while let group = nextGroup(&position, range.end) {
      for index in 0..<group.count where group.words[index] != 0 {
        pages &+= group.object(index).span.intersection(range).pages
      }
    }
    return pages
  }

  /// Customizable 15. One search and one turn of the structure lock for each cluster.
  @inlinable
  public func removeAll(
    in range: VirtualRange, _ visit: (X86Object) -> Void
  ) throws(RangeFailure) -> FlushObligation {
    var flushed = FlushSpan()
    var position = range.start
    while let group = nextGroup(&position, range.end) {
      if let failure = overlap(group, range) {
        settle(flushed.obligation())
        throw failure
      }
      let taken = takeOut(group)
      for index in 0..<taken.count where taken.words[index] != 0 {
        let object = taken.object(index)
        context.meter.count(.rangeEntry)
        if object.isPresent { flushed.add(page: object.start, object.size) }
        visit(object)
      }
    }
    return flushed.obligation()
  }

  /// Customizable 16. One search for each cluster; entries change where they are.
  @inlinable
  public func setProtection(
    in range: VirtualRange, to protection: Protection
  ) throws(RangeFailure) -> FlushObligation {
    var flushed = FlushSpan()
    var position = range.start
    while let group = nextGroup(&position, range.end) {
      if let failure = overlap(group, range) {
        settle(flushed.obligation())
        throw failure
      }
      rewrite(group) { mapping in
        var object = X86Object(group.start, group.size, entry: X86Entry(mapping))
        guard object.isPresent else { return mapping }
        object.setProtection(protection)
        return object.entry.raw
      }
      for index in 0..<group.count where X86Entry(group.words[index]).isResident {
        context.meter.count(.rangeEntry)
        flushed.add(page: group.object(index).start, group.size)
      }
    }
    return flushed.obligation()
  }

  /// The failure that a page which reaches over the edge of `range` is.
  @inlinable func overlap(_ group: ECPTGroup, _ range: VirtualRange) -> RangeFailure? {
    guard group.size != .base, !range.contains(group.span) else { return nil }
    return RangeFailure(
      firstNotDone: Swift.max(group.start, range.start),
      reason: .sizeConflict(existing: group.start, size: group.size))
  }
}
