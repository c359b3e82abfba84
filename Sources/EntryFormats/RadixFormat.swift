// SPDX-License-Identifier: MIT

/// Four-level paging (Intel SDM vol. 3A §4.5): 48-bit addresses, level 3 is the root.
@frozen public enum RadixFormat: RadixShape {
  /// The PML4.
  @inlinable public static var rootLevel: Int { 3 }
}

/// Five-level paging: 57-bit addresses, level 4 is the root.
@frozen public enum Radix5Format: RadixShape {
  /// The PML5.
  @inlinable public static var rootLevel: Int { 4 }
}
