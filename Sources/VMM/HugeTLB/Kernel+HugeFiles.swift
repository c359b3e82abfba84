// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

// Files of pooled huge pages.
extension Kernel {
  /// Makes files below a path those of a pool (Linux: mounting hugetlbfs there).
  /// - Throws: `.einval` where there is no such pool.
  public func mountHugePages(_ size: PageSize, at path: String) throws(Errno) {
    _ = try poolNumber(size)
    hugePageMounts[path.hasSuffix("/") ? path : path + "/"] = size
  }

  /// A new file for a path below a mount of pooled pages; nil elsewhere.
  /// - Parameter mayBeLarger: it may have existed before anybody watched.
  func makeMountedHugeFile(_ path: String, mayBeLarger: Bool) -> FileID? {
    guard let mount = hugePageMounts.first(where: { path.hasPrefix($0.key) }),
      let pool = poolCell.value.firstIndex(where: { $0.size == mount.value })
    else { return nil }
    let id = makeHugeFile(pool: pool)
    files[id].mayBeLarger = mayBeLarger
    return id
  }

  /// A file of any kind gets another size; one that a file of pooled pages cannot have is passed over.
  func resize(_ id: FileID, to bytes: UInt64) {
    if files[id].hugeTLB == nil { return setSize(of: id, to: bytes) }
    do { try setHugeSize(of: id, to: bytes) } catch {}
  }

  /// `ftruncate` of a file of pooled pages: what lies behind the new end goes, copies too, and so do promises.
  func setHugeSize(of id: FileID, to bytes: UInt64) throws(Errno) {
    guard let file = files[id].hugeTLB else { return }
    guard bytes & file.size.mask == 0 else { throw .einval }
    let first = bytes >> UInt64(file.size.shift)
    unmapEverywhere(id, bytes >> 12..<PageIndex.maximumPages, includingCopies: true)
    forgetHugePages(of: id, from: first)
    files[id].size = bytes
    files[id].mayBeLarger = false
  }

  /// Takes the pages from page `first` on, and what was promised for them, from a file.
  func forgetHugePages(of id: FileID, from first: UInt64) {
    guard let file = files[id].hugeTLB else { return }
    removeHugePages(of: id, first..<PageIndex.maximumPages)
    let gone = file.reserved.filter { $0 >= first }
    files[id].hugeTLB?.reserved.subtract(gone)
    unreserve(UInt64(gone.count), in: file.pool)
  }

  /// Takes pages that nobody maps any more out of a file.
  private func removeHugePages(of id: FileID, _ pages: Range<UInt64>) {
    guard let removed = files[id].hugeTLB?.pages.remove(pages), let file = files[id].hugeTLB else { return }
    for (_, head) in removed {
      meter.count(.pageCacheChange)
      if platform.frames.table.release(head) == 0, platform.frames.table.mappings(head) == 0 {
        putHugePage(head, file.pool)
      }
    }
  }

  /// `fallocate` of a file of pooled pages: making pages rounds outwards, punching a hole inwards.
  func allocateHuge(_ id: FileID, _ bytes: Range<UInt64>, mode: UInt64) throws(Errno) {
    guard let file = files[id].hugeTLB else { return }
    if mode & 2 != 0 { return punchHuge(id, bytes) }
    let shift = UInt64(file.size.shift)
    for index in bytes.lowerBound >> shift..<(bytes.upperBound + file.size.mask) >> shift {
      if files[id].hugeTLB?.pages[index] == nil { try addHugePage(id, index, file.size) }
    }
    if mode & 1 == 0 { files[id].reach(bytes.upperBound) }
  }

  private func addHugePage(_ id: FileID, _ index: UInt64, _ size: PageSize) throws(Errno) {
    while true {
      switch takeHugePage(of: id, index) {
      case .exhausted: throw .enospc
      case .noBlock: guard reclaimAfterFailure() else { throw .enospc }
      case .page(let head, _):
        clearHugePage(head, size)
        return insertHugePage(head, id, index)
      }
    }
  }

  /// Whole pages of the hole go, private copies of them too as on Linux; the rest becomes zero. What was promised for
  /// pages that do not exist stays promised.
  func punchHuge(_ id: FileID, _ bytes: Range<UInt64>) {
    guard let file = files[id].hugeTLB else { return }
    let mask = file.size.mask
    let (start, end) = ((bytes.lowerBound + mask) & ~mask, bytes.upperBound & ~mask)
    zeroHuge(id, bytes.lowerBound..<max(bytes.lowerBound, min(start, bytes.upperBound)))
    if bytes.upperBound > end, bytes.upperBound > start {
      zeroHuge(id, max(end, bytes.lowerBound)..<bytes.upperBound)
    }
    guard start < end else { return }
    unmapEverywhere(id, start >> 12..<end >> 12, includingCopies: true)
    removeHugePages(of: id, start >> UInt64(file.size.shift)..<end >> UInt64(file.size.shift))
  }

  /// Makes a part of a page zero, if the page exists.
  private func zeroHuge(_ id: FileID, _ bytes: Range<UInt64>) {
    guard !bytes.isEmpty, let file = files[id].hugeTLB,
      let head = file.pages[bytes.lowerBound >> UInt64(file.size.shift)]
    else { return }
    platform.memory.zero(
      head.address.advanced(by: bytes.lowerBound & file.size.mask), bytes: UInt64(bytes.count))
  }
}
