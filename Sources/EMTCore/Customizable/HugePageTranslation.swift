// SPDX-License-Identifier: MIT
public import SimMemory

/// Customizable functions 7–12: pages of several sizes.
public protocol HugePageTranslation: TranslationDatabaseBasics {
  /// Customizable 7: whether a page of `size` may be inserted at `page` (EMT paper: `thp_eligible`): the size is
  /// offered, the page is aligned and inside `mapping`, and nothing is mapped there.
  func isEligible(_ size: PageSize, for page: VirtualRange, in mapping: VirtualRange) -> Bool

  /// Customizable 8: the next smaller page size (EMT paper: `dec_page_size`), nil below the base page.
  func smallerSize(than size: PageSize) -> PageSize?

  /// Customizable 9: inserts `count` pages of `prototype`'s size at consecutive addresses from its start, over
  /// consecutive frames from its frame, all with its attributes. What is mapped there already is replaced.
  /// - Throws: a `RangeFailure` after settling the flushes of what was done.
  func insertRun(_ prototype: Object, count: UInt64) throws(RangeFailure) -> FlushObligation

  /// Customizable 10: replaces the huge page `object` by pages of the next smaller size with the same contents and
  /// attributes. The caller holds the range's write lock, and a fault in the gap waits for it. Flushes by itself.
  /// - Throws: `.outOfMemory`: the old object is back.
  func split(_ object: Object) throws(TranslationError)

  /// Customizable 11: replaces everything in the span of `huge` by `huge`. The caller holds the range's write lock.
  ///
  /// Access is revoked and flushed first; then `copyContents` sees every object that was present, to copy its
  /// contents. Flushes by itself.
  /// - Throws: `.refusedByCaller` when `copyContents` returns false, `.outOfMemory`: the old objects are back.
  func collapse(into huge: Object, copyContents: (Object) -> Bool) throws(TranslationError)

  /// Customizable 12: reserves what a later split of `page` will need, so that it cannot fail.
  func prepareForSplit(_ page: VirtualRange) throws(TranslationError)
}
