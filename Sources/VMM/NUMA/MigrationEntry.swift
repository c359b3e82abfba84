// SPDX-License-Identifier: MIT
public import EMTCore

/// What stands in for a translation while its page is on its way: a marker in the form of a swap entry. It says which
/// page and what the translation allowed and knew.
@usableFromInline struct MigrationEntry: Equatable {
  /// The number of the migration, from 1.
  @usableFromInline var number: UInt64
  @usableFromInline var isWritable: Bool
  @usableFromInline var isDirty: Bool
  @usableFromInline var isAccessed: Bool

  /// The entry for a translation.
  @inlinable init(_ number: UInt64, of object: some TranslationObject) {
    self.number = number
    isWritable = object.isWritable
    isDirty = object.isDirty
    isAccessed = object.isAccessed
  }

  /// What a marker says; nil for other entries.
  @inlinable init?(_ entry: SwapEntry?) {
    guard let entry, entry.area == Marker.area, entry.offset >= 8 else { return nil }
    number = entry.offset &>> 3
    isWritable = entry.offset & 1 != 0
    isDirty = entry.offset & 2 != 0
    isAccessed = entry.offset & 4 != 0
  }

  /// The marker.
  @inlinable var swapEntry: SwapEntry {
    let bits: UInt64 = (isWritable ? 1 : 0) | (isDirty ? 2 : 0) | (isAccessed ? 4 : 0)
    return SwapEntry(area: Marker.area, offset: number &<< 3 | bits)
  }
}
