// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory

/// A translation object whose attributes live in the bits of an x86-64 entry. Shared by every driver here, because
/// their entries have the same format and differ only in where they are stored.
///
/// An attribute of a page in memory can be written once the object is present; before that only false (nothing) fits.
@frozen public struct X86Object: TranslationObject {
  /// First byte of the span.
  @usableFromInline var address: UInt64
  /// The entry without the scheme's bits 52–58.
  public var entry: X86Entry
  /// Driver-private: where the entry is stored, in the driver's own terms; 0 is nowhere.
  public var location: UInt64
  /// Driver-private: the context's move generation when `location` was right.
  public var generation: UInt64
  @usableFromInline var shift: UInt8

  /// An unmapped object.
  @inlinable public init(unmappedAt address: VirtualAddress, size: PageSize) {
    self.init(address, size, entry: X86Entry(0))
  }

  /// What a driver found: `entry` for the page (or void) of `size` at `address`.
  @inlinable
  public init(
    _ address: VirtualAddress, _ size: PageSize, entry: X86Entry, location: UInt64 = 0, generation: UInt64 = 0
  ) {
    self.address = address.raw & ~size.mask
    self.entry = X86Entry(entry.mapping)
    self.location = location
    self.generation = generation
    shift = size.shift
  }
}

/// Attributes that only x86-64 has.
public enum X86Attribute {
  /// The protection key, 0 to 15.
  @inlinable public static var protectionKey: TranslationAttribute { TranslationAttribute(key: 0x100) }
  /// PAT, PCD and PWT as a number from 0 to 7: the index into the page-attribute table.
  @inlinable public static var cacheIndex: TranslationAttribute { TranslationAttribute(key: 0x101) }
}
