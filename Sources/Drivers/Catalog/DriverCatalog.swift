// SPDX-License-Identifier: MIT
public import ECPT
public import EMTCore
public import EntryFormats
public import Hashed
public import MMU
public import Radix
internal import SimMemory

/// Something that works on drivers by type. The type is named in `DriverCatalog.visit`, so that what the visitor calls
/// is compiled for each driver.
public protocol DriverVisitor {
  /// Works on one driver and the hardware that reads its tables.
  mutating func visit<Service: TranslationService, Walker: PageWalker>(
    _ description: DriverDescription, _ service: Service.Type, _ walker: Walker.Type
  ) where Service.Root == Walker.Root
}

/// The drivers of this package, each with its walker. A new scheme adds one line here.
public enum DriverCatalog {
  /// Shows every driver to `visitor`, in the order in which they are listed.
  @inlinable public static func visit<Visitor: DriverVisitor>(_ visitor: inout Visitor) {
    visitor.visit(radix, RadixTreeService<EntryFormats.RadixFormat>.self, RadixWalker.self)
    visitor.visit(radix5, RadixTreeService<EntryFormats.Radix5Format>.self, Radix5Walker.self)
    visitor.visit(fptL3L2, RadixTreeService<EntryFormats.FlattenedL3L2>.self, FPTL3L2Walker.self)
    visitor.visit(fptL4L3, RadixTreeService<EntryFormats.FlattenedL4L3>.self, FPTL4L3Walker.self)
    visitor.visit(fptL4L3L2L1, RadixTreeService<EntryFormats.FlattenedL4L3L2L1>.self, FPTL4L3L2L1Walker.self)
    visitor.visit(hashed, HashedService.self, HashedWalker.self)
    visitor.visit(ecpt, ECPTService.self, ECPTWalker.self)
  }

  @usableFromInline static var radix: DriverDescription {
    DriverDescription(
      name: "radix", summary: "four-level radix tree of x86-64, split locks",
      walk: "up to 4 dependent references, page-walk caches", pageSizes: PageSizes(.twoMiB, .oneGiB))
  }

  @usableFromInline static var radix5: DriverDescription {
    DriverDescription(
      name: "radix5", summary: "five-level radix tree of x86-64 (57-bit addresses), split locks",
      walk: "up to 5 dependent references, page-walk caches", pageSizes: PageSizes(.twoMiB, .oneGiB))
  }

  @usableFromInline static var fptL3L2: DriverDescription {
    DriverDescription(
      name: "fpt-l3l2", summary: "radix tree, L3 and L2 flattened into nodes of 2 MiB",
      walk: "up to 3 dependent references, page-walk caches", pageSizes: PageSizes(.twoMiB))
  }

  @usableFromInline static var fptL4L3: DriverDescription {
    DriverDescription(
      name: "fpt-l4l3", summary: "radix tree, L4 and L3 flattened into a root of 2 MiB",
      walk: "up to 3 dependent references, page-walk caches", pageSizes: PageSizes(.twoMiB, .oneGiB))
  }

  @usableFromInline static var fptL4L3L2L1: DriverDescription {
    DriverDescription(
      name: "fpt-l4l3-l2l1", summary: "radix tree, L4 and L3, L2 and L1 flattened into nodes of 2 MiB",
      walk: "2 dependent references (3 for 2 MiB pages), page-walk caches",
      pageSizes: PageSizes(.twoMiB, .oneGiB))
  }

  @usableFromInline static var hashed: DriverDescription {
    DriverDescription(
      name: "hashed", summary: "hashed table per process and page size, 64-byte clusters, open addressing",
      walk: "1 reference per page size in use, more on collisions", pageSizes: PageSizes(.twoMiB, .oneGiB))
  }

  @usableFromInline static var ecpt: DriverDescription {
    DriverDescription(
      name: "ecpt", summary: "elastic cuckoo page tables, three ways per page size, cuckoo walk tables",
      walk: "1 round of side-by-side references, 2 when walk caches are wrong",
      pageSizes: PageSizes(.twoMiB, .oneGiB),
      options: [
        "preset": "ours, emt or paper: where the other options start from",
        "growth": "factor by which a way grows, 2, 4 or 8",
        "step": "clusters that one operation migrates at most, 1 to 16",
        "kicks": "slots that the search for a path looks at, 8 to 128",
        "start": "clusters of a 4 KiB way at the start, a power of two from 8",
        "hash": "murmur, fibonacci or crc64",
        "kpti": "on: user mode runs without the kernel's registers",
      ], testedOptions: [[:], ["preset": "emt"], ["preset": "paper"], ["kpti": "on"]])
  }
}
