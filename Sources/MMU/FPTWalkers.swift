// SPDX-License-Identifier: MIT
public import EntryFormats

/// Walks page tables whose levels 3 and 2 are flattened: 3 references, 2 for 2 MiB, 1 for 1 GiB.
public typealias FPTL4L3Walker = RadixTreeWalker<FlattenedL4L3>

/// Walks page tables whose levels 2 and 1 are flattened: 3 references, 2 for 2 MiB.
public typealias FPTL3L2Walker = RadixTreeWalker<FlattenedL3L2>

/// Walks page tables whose levels 3 and 2, and 1 and 0, are flattened: 2 references, 3 for 2 MiB but 2 in its first 4 KiB,
/// 1 for 1 GiB.
public typealias FPTL4L3L2L1Walker = RadixTreeWalker<FlattenedL4L3L2L1>
