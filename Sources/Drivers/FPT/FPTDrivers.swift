// SPDX-License-Identifier: MIT
public import EntryFormats
public import Radix

/// Flattened page tables (Park et al., ASPLOS 2022): the radix tree in a shape that may flatten some of its nodes.
public typealias FPTDatabase<Shape: RadixShape> = RadixTree<Shape>

/// Levels 3 and 2 flattened.
public typealias FPTL4L3Service = RadixTreeService<FlattenedL4L3>

/// Levels 2 and 1 flattened; no 1 GiB pages.
public typealias FPTL3L2Service = RadixTreeService<FlattenedL3L2>

/// Levels 3 and 2, and 1 and 0 flattened.
public typealias FPTL4L3L2L1Service = RadixTreeService<FlattenedL4L3L2L1>
