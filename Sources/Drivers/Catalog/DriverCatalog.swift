// SPDX-License-Identifier: MIT
public import EMTCore
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
    visitor.visit(radix, RadixService.self, RadixWalker.self)
    visitor.visit(hashed, HashedService.self, HashedWalker.self)
  }

  @usableFromInline static var radix: DriverDescription {
    DriverDescription(
      name: "radix", summary: "four-level radix tree of x86-64, split locks",
      walk: "up to 4 dependent references, page-walk caches", pageSizes: PageSizes(.twoMiB, .oneGiB))
  }

  @usableFromInline static var hashed: DriverDescription {
    DriverDescription(
      name: "hashed", summary: "hashed table per process and page size, 64-byte clusters, open addressing",
      walk: "1 reference per page size in use, more on collisions", pageSizes: PageSizes(.twoMiB, .oneGiB))
  }
}
