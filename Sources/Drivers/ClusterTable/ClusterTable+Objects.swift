// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

extension ClusterTable {
  /// Whether `address` is in the half of the address space that the database translates.
  @inlinable @inline(__always) public func owns(_ address: VirtualAddress) -> Bool {
    address.raw &>> 47 == half
  }

  /// What `update` gives after the driver replaced `mapping` where it knew the place: no search.
  @inlinable @inline(__always)
  public func replaced(_ object: X86Object, _ mapping: UInt64) -> Change<X86Object> {
    var old = object
    old.entry = X86Entry(mapping)
    if word(Self.busyWord) != 0 { catchUp() }
    context.meter.count(.entryWrite)
    return Change(old: old)
  }

  /// What `update` does where the place was not known: one search; two for a cluster's first page.
  @inlinable @inline(never)
  public func insert(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    guard object.isMapped else { throw .notMapped }
    var group = ClusterGroup(object, mapping: object.entry.mapping)
    try put(&group)
    var old = object
    old.entry = X86Entry(group.words[0])
    context.meter.count(object.size == .base ? .entryWrite : .hugeEntryWrite)
    return Change(old: old)
  }

  /// Whether the place of a base page's entry was known when `object` was found.
  ///
  /// A cluster of base pages maps something, so while it is there no larger page is where it is.
  @inlinable @inline(__always) public func wasKnown(_ object: X86Object) -> Bool {
    object.location != 0 && object.size == .base && object.isMapped
  }

  /// Basic 6. No search right after a find, else one.
  @inlinable public func remove(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    guard owns(object.start) else { throw .notMapped }
    var taken = ClusterGroup(object, mapping: ~0)
    takeOut(&taken)
    guard taken.words[0] != 0 else { throw otherSize(object) ?? .notMapped }
    context.meter.count(object.size == .base ? .entryWrite : .hugeEntryWrite)
    return Change(old: taken.object(0))
  }

  /// The table for `object`, if its place is one that can be mapped.
  @inlinable public func table(for object: X86Object) throws(TranslationError) -> Int {
    guard let table = ClusterFormat.table(for: object.size) else { throw .unsupportedSize(object.size) }
    guard owns(object.start) else { throw .badAddress(object.start) }
    return table
  }

  /// What of another size is mapped in the span of `object`.
  @inlinable public func otherSize(_ object: X86Object) -> TranslationError? {
    var iterator = makeIterator(over: object.span)
    while let other = nextMapped(&iterator) {
      if other.size != object.size { return .sizeConflict(existing: other.start, size: other.size) }
    }
    return nil
  }
}
