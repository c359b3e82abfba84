// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import Mutations
public import SimMemory
public import X86Object

extension ClusterTable {
  /// Customizable 9. One search, or one new cluster, for eight base pages. Large pages go one by one: each may be in
  /// conflict with smaller ones.
  @inlinable
  public func insertRun(_ prototype: X86Object, count: UInt64) throws(RangeFailure) -> FlushObligation {
    context.meter.count(.rangeCall)
    var flushed = FlushSpan()
    let shift = UInt64(prototype.size.shift)
    var step: UInt64 = 0
    while step < count {
      let start = prototype.start.advanced(by: step &<< shift)
      let most = prototype.size == .base ? 8 &- start.pageNumber & 7 : 1
      var group = ClusterGroup(start, prototype.size, count: Int(Swift.min(most, count &- step)))
      for index in 0..<group.count {
        let bytes = prototype.isPresent ? (step &+ UInt64(index)) &<< shift : 0
        group.words[index] = prototype.entry.mapping &+ bytes
      }
      do throws(TranslationError) {
        guard prototype.isMapped else { throw TranslationError.notMapped }
        try place(&group)
        group.owe(&flushed)
      } catch {
        settle(flushed.obligation())
        throw RangeFailure(firstNotDone: start, reason: error)
      }
      context.meter.count(.rangeEntry, UInt64(group.count))
      step &+= UInt64(group.count)
    }
    return flushed.obligation()
  }

  /// Customizable 17. One search here and one there for each cluster.
  @inlinable
  public func copy(
    _ range: VirtualRange, into target: Self, decide: (X86Object) -> CopyDecision,
    copied: (X86Object) -> Void
  ) throws(RangeFailure) -> FlushObligation {
    try forEachGroup(in: range) { (group, flushed) throws(RangeFailure) in
      var (shared, protected, first) = (group, group, Int?.none)
      shared.location = 0
      for index in 0..<group.count where group.words[index] != 0 {
        let object = group.object(index)
        let decision = decide(object)
        let isProtected = decision == .shareProtected && object.isPresent && object.isWritable
        if decision == .skip { shared.words[index] = 0 } else { first = first ?? index }
        if isProtected { shared.words[index] &= ~X86Entry.writable } else { protected.words[index] = 0 }
      }
      guard let first else { return }
      var old = shared
      var replaced = FlushSpan()
      do throws(TranslationError) { try target.place(&old) } catch {
        target.settle(replaced.obligation())
        throw RangeFailure(firstNotDone: group.object(first).start, reason: error)
      }
      old.owe(&replaced)
      target.settle(replaced.obligation())
      if !Mutation.clusterCopyLeavesWritable.isPlanted { rewrite(protected) { $0 & ~X86Entry.writable } }
      protected.owe(&flushed)
      for index in 0..<group.count where shared.words[index] != 0 {
        context.meter.count(.rangeEntry)
        copied(group.object(index))
      }
    }
  }

  /// Customizable 18. Two searches for each piece that lies in one cluster here and in one there.
  @inlinable
  public func move(_ range: VirtualRange, to start: VirtualAddress) throws(RangeFailure) -> FlushObligation {
    try forEachGroup(in: range) { (group, flushed) throws(RangeFailure) in
      var done = 0
      while done < group.count {
        let from = group.object(done).start
        let to = start.advanced(by: from.raw &- range.start.raw)
        let most = 8 &- Int(truncatingIfNeeded: to.raw &>> UInt64(group.size.shift) & 7)
        let part = group.part(from: done, count: Swift.min(most, group.count &- done))
        do throws(TranslationError) { try relocate(part, to, &flushed) } catch {
          throw RangeFailure(firstNotDone: from, reason: error)
        }
        done &+= part.count
      }
    }
  }

  /// Copies a piece to `to`, takes it from where it was, and passes on what the hardware set in between.
  @inlinable
  func relocate(
    _ part: ClusterGroup, _ to: VirtualAddress, _ flushed: inout FlushSpan
  ) throws(TranslationError) {
    guard part.mapped.contains(where: { _ in true }) else { return }
    guard to.isAligned(to: part.size) else {
      throw TranslationError.sizeConflict(existing: part.start, size: part.size)
    }
    var target = part
    target.start = to
    var (old, taken) = (target, part)
    try place(&old)
    old.owe(&flushed)
    if !Mutation.clusterMoveLeavesOld.isPlanted { takeOut(&taken) }
    taken.owe(&flushed)
    for index in 0..<taken.count where taken.words[index] != 0 {
      context.meter.count(.rangeEntry)
      let missed = taken.words[index] & ~part.words[index] & (X86Entry.accessed | X86Entry.dirty)
      if missed != 0 { rewrite(target.part(from: index, count: 1)) { $0 | missed } }
    }
  }

  /// Stores a group as a step of a range operation.
  @inlinable func place(_ group: inout ClusterGroup) throws(TranslationError) {
    context.meter.count(.rangeGroup)
    try put(&group)
  }
}
