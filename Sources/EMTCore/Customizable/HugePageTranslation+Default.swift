// SPDX-License-Identifier: MIT
public import Mutations
public import SimMemory

extension HugePageTranslation where Self: TranslationDatabase {
  /// Default: offered, aligned, inside the mapping, void.
  @inlinable
  public func isEligible(_ size: PageSize, for page: VirtualRange, in mapping: VirtualRange) -> Bool {
    context.pageSizes.contains(size) && page.start.isAligned(to: size) && page.bytes == size.bytes
      && mapping.contains(page) && isVoid(page)
  }

  /// Default: from the list of page sizes.
  @inlinable public func smallerSize(than size: PageSize) -> PageSize? {
    context.pageSizes.smaller(than: size)
  }

  /// Default: page by page.
  @inlinable
  public func insertRun(_ prototype: Object, count: UInt64) throws(RangeFailure) -> FlushObligation {
    let run = VirtualRange(prototype.start, bytes: prototype.size.bytes &* count)
    var flushed = FlushSpan()
    for step in 0..<count {
      do {
        let page = copy(of: prototype, movedBy: step &* prototype.size.bytes)
        flushed.add(try update(page))
      } catch {
        let failed = run.start.advanced(by: step &* prototype.size.bytes)
        settle(flushed.obligation())
        throw RangeFailure(firstNotDone: failed, reason: error)
      }
    }
    return flushed.obligation()
  }

  /// Default: remove, flush, insert the parts; on failure the parts go and the old object returns.
  @inlinable public func split(_ object: Object) throws(TranslationError) {
    guard let smaller = smallerSize(than: object.size) else { throw .unsupportedSize(object.size) }
    let removed = try remove(object)
    let old = removed.old
    settle(removed.takeObligation())
    let first = old.relocated(to: old.start, size: smaller, physicalAddress: old.physicalAddress)
    do {
      settle(try insertRun(first, count: old.size.bytes / smaller.bytes))
    } catch {
      var done = VirtualRange(old.start, error.firstNotDone)
      while !done.isEmpty {
        takeOut(find(done.start)) { _ in }
        done.start = done.start.advanced(by: smaller.bytes)
      }
      putBack(old)
      throw error.reason
    }
  }

  /// Default: take the old objects out and flush, copy, insert; on failure the old objects return.
  @inlinable
  public func collapse(into huge: Object, copyContents: (Object) -> Bool) throws(TranslationError) {
    var old: [Object] = []
    var iterator = makeIterator(over: huge.span)
    while let object = nextMapped(&iterator) { old.append(object) }
    endIteration(iterator)
    if let large = old.first(where: { $0.size >= huge.size }) {
      throw .sizeConflict(existing: large.start, size: large.size)
    }
    // What the removals return has the accessed and dirty bits that hardware set to the last.
    var taken: [Object] = []
    taken.reserveCapacity(old.count)
    context.meter.count(.pageCollapsed, UInt64(old.count))
    batch { for object in old { takeOut(object) { taken.append($0) } } }
    do throws(TranslationError) {
      for object in taken where object.isPresent {
        guard copyContents(object) else { throw .refusedByCaller }
      }
      settle(try update(huge).takeObligation())
    } catch {
      for object in taken.dropFirst(Mutation.refusedCollapseLosesPage.isPlanted ? 1 : 0) { putBack(object) }
      throw error
    }
  }

  /// Removes an object that is known to be there.
  ///
  /// - Parameter body: sees the object as it was at the end, before the change is consumed: an optimized build of Swift
  ///   6.3 loses a value that is read from a change and used after the change was consumed.
  @inlinable func takeOut(_ object: Object, _ body: (Object) -> Void) {
    do {
      let change = try remove(object)
      body(change.old)
      settle(change.takeObligation())
    } catch { preconditionFailure("a mapped object could not be removed: \(error)") }
  }

  /// Undoes a removal, which cannot fail: `remove` keeps the table memory.
  @inlinable func putBack(_ object: Object) {
    do { settle(try update(object).takeObligation()) } catch {
      preconditionFailure("a removed object did not fit any more: \(error)")
    }
  }

  /// Default: nothing is reserved, and a split may fail.
  @inlinable public func prepareForSplit(_ page: VirtualRange) throws(TranslationError) {}

  /// `prototype` with its virtual and physical start moved.
  @inlinable public func copy(of prototype: Object, movedBy bytes: UInt64) -> Object {
    prototype.relocated(
      to: prototype.start.advanced(by: bytes), size: prototype.size,
      physicalAddress: prototype.physicalAddress.advanced(by: Mutation.runRepeatsFrame.isPlanted ? 0 : bytes))
  }
}
