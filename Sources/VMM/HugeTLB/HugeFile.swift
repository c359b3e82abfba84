// SPDX-License-Identifier: MIT
public import SimMemory

/// What a file has whose pages come from a pool of huge pages (Linux: an inode of hugetlbfs). Its page cache counts in
/// huge pages.
@usableFromInline struct HugeFile: Sendable {
  /// The number of the pool.
  @usableFromInline let pool: Int
  /// The size of its pages.
  @usableFromInline let size: PageSize
  /// The first frame of each page that exists, by the page's number in the file.
  @usableFromInline var pages = PageIndex()
  /// Pages that do not exist yet, and that a page of the pool was promised for, to whoever maps the file shared.
  @usableFromInline var reserved: Set<UInt64> = []
  /// Whether all of it was reserved when it was made, so that mappings do not reserve (SysV segments).
  let isSegment: Bool

  init(pool: Int, size: PageSize, isSegment: Bool) {
    self.pool = pool
    self.size = size
    self.isSegment = isSegment
  }

  /// Pages of `indices` that neither exist nor are promised.
  func unreserved(in indices: Range<UInt64>) -> UInt64 {
    let known = pages.pages(in: indices).count + reserved.count { indices.contains($0) }
    return UInt64(indices.count) - UInt64(known)
  }
}

extension VMAFlags {
  /// Its pages come from a pool of huge pages (Linux: VM_HUGETLB).
  @inlinable public static var hugeTLB: Self { Self(rawValue: 1 << 30) }
  /// The process that the mapping was inherited from took a page back that the pool had no second one of: pages that
  /// are missing stay so (Linux: HPAGE_RESV_UNMAPPED).
  @inlinable static var lostHugePages: Self { Self(rawValue: 1 << 31) }
}

extension VMA {
  /// Whether the mapping was promised pages of its own when it was made (Linux: HPAGE_RESV_OWNER).
  @usableFromInline var ownsHugeReservations: Bool { isPrivate && !flags.contains(.noReserve) }

  /// The number of the huge page at `address` in the file.
  @usableFromInline func hugeIndex(at address: VirtualAddress, _ size: PageSize) -> UInt64 {
    (offset &+ (address.raw &- range.start.raw)) &>> UInt64(size.shift)
  }

  /// The numbers of the huge pages of `part` in the file.
  func hugeIndices(_ part: VirtualRange, _ size: PageSize) -> Range<UInt64> {
    let first = hugeIndex(at: part.start, size)
    return first..<first + part.bytes >> UInt64(size.shift)
  }
}
