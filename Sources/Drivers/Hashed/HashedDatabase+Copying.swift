// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

extension HashedDatabase {
  /// Customizable 9. One search, or one new cluster, for eight pages.
  @inlinable
  public func insertRun(_ prototype: X86Object, count: UInt64) throws(RangeFailure) -> FlushObligation {
    var flushed = FlushSpan()
    var step: UInt64 = 0
    while step < count {
      let start = prototype.start.advanced(by: step &<< UInt64(prototype.size.shift))
      let inCluster = 8 &- (start.raw &>> UInt64(prototype.size.shift) & 7)
      var pages = Int(Swift.min(inCluster, count &- step))
      if prototype.size != .base, hasOtherSizes(prototype, start, pages) { pages = 1 }
      var group = HashedGroup(start, prototype.size, count: pages)
      for index in 0..<group.count {
        let distance = step &+ UInt64(truncatingIfNeeded: index)
        let bytes = prototype.isPresent ? distance &<< UInt64(prototype.size.shift) : 0
        group.words[index] = prototype.entry.mapping &+ bytes
      }
      do throws(TranslationError) {
        guard prototype.isMapped else { throw TranslationError.notMapped }
        let old = try put(group)
        context.meter.count(.rangeEntry, UInt64(truncatingIfNeeded: group.count))
        for index in 0..<old.count where X86Entry(old.words[index]).isResident {
          flushed.add(page: old.object(index).start, old.size)
        }
      } catch {
        settle(flushed.obligation())
        throw RangeFailure(firstNotDone: start, reason: error)
      }
      step &+= UInt64(truncatingIfNeeded: group.count)
    }
    return flushed.obligation()
  }

  /// Whether a page of another size is anywhere in `pages` huge pages from `start`: then the run goes on page by page,
  /// and stops at the one that is in the way. Base pages of one cluster share their surroundings.
  @usableFromInline func hasOtherSizes(
    _ prototype: X86Object, _ start: VirtualAddress, _ pages: Int
  ) -> Bool {
    let size = prototype.size
    return (0..<UInt64(truncatingIfNeeded: pages)).contains { page in
      otherSize(X86Object(unmappedAt: start.advanced(by: page &<< UInt64(size.shift)), size: size)) != nil
    }
  }

  /// Customizable 17. One search here and one there for each cluster.
  @inlinable
  public func copy(
    _ range: VirtualRange, into target: HashedDatabase, decide: (X86Object) -> CopyDecision,
    copied: (X86Object) -> Void
  ) throws(RangeFailure) -> FlushObligation {
    var flushed = FlushSpan()
    var position = range.start
    while let group = nextGroup(&position, range.end) {
      if let failure = overlap(group, range) {
        settle(flushed.obligation())
        throw failure
      }
      var (shared, protected) = (group, group)
      shared.location = 0
      var first: Int?
      for index in 0..<group.count where group.words[index] != 0 {
        let object = group.object(index)
        let decision = decide(object)
        let isProtected = decision == .shareProtected && object.isPresent && object.isWritable
        if decision == .skip { shared.words[index] = 0 } else { first = first ?? index }
        if isProtected { shared.words[index] &= ~X86Entry.writable } else { protected.words[index] = 0 }
      }
      guard let first else { continue }
      do { target.settle(old: try target.put(shared)) } catch {
        settle(flushed.obligation())
        throw RangeFailure(firstNotDone: group.object(first).start, reason: error)
      }
      rewrite(protected) { $0 & ~X86Entry.writable }
      for index in 0..<group.count where shared.words[index] != 0 {
        context.meter.count(.rangeEntry)
        if protected.words[index] != 0 { flushed.add(page: group.object(index).start, group.size) }
        copied(group.object(index))
      }
    }
    return flushed.obligation()
  }

  /// Customizable 18. Two searches for each piece that lies in one cluster here and in one there.
  @inlinable
  public func move(
    _ range: VirtualRange, to start: VirtualAddress
  ) throws(RangeFailure) -> FlushObligation {
    var flushed = FlushSpan()
    var position = range.start
    while let group = nextGroup(&position, range.end) {
      var failure = overlap(group, range)
      var done = 0
      while done < group.count, failure == nil {
        let from = group.object(done).start
        let to = start.advanced(by: from.raw &- range.start.raw)
        let inCluster = 8 &- Int(truncatingIfNeeded: to.raw &>> UInt64(group.size.shift) & 7)
        let part = group.part(from: done, count: Swift.min(inCluster, group.count &- done))
        do { try relocate(part, to, &flushed) } catch {
          failure = RangeFailure(firstNotDone: from, reason: error)
        }
        done &+= part.count
      }
      if let failure {
        settle(flushed.obligation())
        throw failure
      }
    }
    return flushed.obligation()
  }

  /// Copies a piece to `to`, takes it from where it was, and passes on what the hardware set in between.
  @inlinable
  func relocate(
    _ part: HashedGroup, _ to: VirtualAddress, _ flushed: inout FlushSpan
  ) throws(TranslationError) {
    guard (0..<part.count).contains(where: { part.words[$0] != 0 }) else { return }
    guard to.isAligned(to: part.size) else {
      throw TranslationError.sizeConflict(existing: part.start, size: part.size)
    }
    var target = part
    target.start = to
    settle(old: try put(target))
    let taken = takeOut(part)
    for index in 0..<part.count where taken.words[index] != 0 {
      context.meter.count(.rangeEntry)
      if X86Entry(taken.words[index]).isResident { flushed.add(page: taken.object(index).start, part.size) }
      let missed = taken.words[index] & ~part.words[index] & (X86Entry.accessed | X86Entry.dirty)
      if missed != 0 { rewrite(target.part(from: index, count: 1)) { $0 | missed } }
    }
  }

  /// Pays the flush for what `put` replaced. Callers promise that there is nothing.
  @inlinable func settle(old: HashedGroup) {
    for index in 0..<old.count where X86Entry(old.words[index]).isResident {
      settle(FlushObligation(owing: old.object(index).span, stride: old.size))
    }
  }
}
