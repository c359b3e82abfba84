// SPDX-License-Identifier: MIT

/// What the three patterns of flattened page tables (Park et al., ASPLOS 2022) have in common.
///
/// A flattened node joins a node with the 512 nodes below it: an aligned block of 2 MiB, 2^18 entries, 18 address bits.
/// Whether a node is flattened is said where it is pointed at: in bit 52 of the entry above, or in bit 0 of the root
/// register, so ordinary and flattened nodes may stand side by side. Bit 52 is ignored by x86 and used by nothing
/// else here: bits 53–58 of an entry are lock bits of the driver (X86Entry: `schemeMask`), and the register's low
/// bits are free because nodes are aligned.
///
/// A flattened node of level-0 entries has none for 2 MiB. Such a page is the entry in the first slot of its span, with
/// bit 52 set, and the other 511 slots are empty. A walker that finds an empty slot looks into the span's first one.
@frozen public enum FPTFormat {
  /// In an entry that leads to a node: the node is flattened. In a flattened node's level-0 entry: it maps 2 MiB.
  @inlinable public static var mark: UInt64 { 1 &<< 52 }
  /// In a root register: the root is flattened.
  @inlinable public static var rootMark: UInt64 { 1 }
  /// The frames of a flattened node, as a buddy order.
  @inlinable public static var order: Int { 9 }
}

/// Levels 3 and 2 of four (L4 and L3 in the papers) in one node: the root has an entry for each 1 GiB.
@frozen public enum FlattenedL4L3: RadixShape {
  /// Four levels.
  @inlinable public static var rootLevel: Int { 3 }
  /// The kernel's entries cannot be copied into each root: there are 2^17 of them, and they change.
  @inlinable public static var hasKernelRoot: Bool { true }
  /// The root.
  @inlinable public static func mayFlatten(_ level: Int) -> Bool { level == 3 }
}

/// Levels 2 and 1 (L3 and L2) in one node: an entry of the root leads to one entry for each 2 MiB of 512 GiB. There is no
/// entry that could map 1 GiB.
@frozen public enum FlattenedL3L2: RadixShape {
  /// Four levels.
  @inlinable public static var rootLevel: Int { 3 }
  /// 2 MiB pages.
  @inlinable public static var highestLeafLevel: Int { 1 }
  /// Else 256 flattened nodes, 512 MiB, would have to exist from the start to be shared.
  @inlinable public static var hasKernelRoot: Bool { true }
  /// The nodes below the root.
  @inlinable public static func mayFlatten(_ level: Int) -> Bool { level == 2 }
}

/// Levels 3 and 2 in one node, and levels 1 and 0 in one: the root has an entry for each 1 GiB, which leads to one entry for
/// each 4 KiB of it.
@frozen public enum FlattenedL4L3L2L1: RadixShape {
  /// Four levels.
  @inlinable public static var rootLevel: Int { 3 }
  /// See `FlattenedL4L3`.
  @inlinable public static var hasKernelRoot: Bool { true }
  /// The root and the nodes at level 1.
  @inlinable public static func mayFlatten(_ level: Int) -> Bool { level == 3 || level == 1 }
}
