// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Mutations
public import SimMemory

// Pages out of a pool and back.
extension Kernel {
  /// A page for `address` of a mapping: the one that was promised, or one that was promised to nobody.
  @usableFromInline
  func takeHugePage(_ space: Space<Database>, _ area: VMA, at address: VirtualAddress) -> HugePageSupply {
    guard let file = files[area.file].hugeTLB else { return .exhausted }
    guard area.isPrivate else { return takeHugePage(of: area.file, area.hugeIndex(at: address, file.size)) }
    if space.layout.hugeReservations.remove(address.raw) != nil {
      return .page(takeReserved(file.pool), wasReserved: true)
    }
    return takeUnreserved(file.pool)
  }

  /// A page for page `index` of a file.
  func takeHugePage(of id: FileID, _ index: UInt64) -> HugePageSupply {
    guard let file = files[id].hugeTLB else { return .exhausted }
    if files[id].hugeTLB?.reserved.remove(index) != nil {
      return .page(takeReserved(file.pool), wasReserved: true)
    }
    return takeUnreserved(file.pool)
  }

  private func takeReserved(_ number: Int) -> FrameNumber {
    guard let head = poolCell.value[number].free.popLast() else {
      preconditionFailure("a pool promised more pages than it has")
    }
    poolCell.value[number].reserved -= 1
    return head
  }

  private func takeUnreserved(_ number: Int) -> HugePageSupply {
    let pool = poolCell.value[number]
    if pool.available > 0, let head = poolCell.value[number].free.popLast() {
      return .page(head, wasReserved: false)
    }
    guard hugePoolsFollowDemand || pool.surplus < pool.overcommit else { return .exhausted }
    guard let head = takeFreeBlock(pool.size) else { return .noBlock }
    poolCell.value[number].total += 1
    if !hugePoolsFollowDemand { poolCell.value[number].surplus += 1 }
    return .page(head, wasReserved: false)
  }

  /// A page that nobody uses goes back to its pool, or further to the frame allocator while the pool has surplus pages.
  @usableFromInline func putHugePage(_ head: FrameNumber, _ number: Int) {
    if poolCell.value[number].surplus > 0 {
      poolCell.value[number].surplus -= 1
      poolCell.value[number].total -= 1
      meter.count(.blockFreed)
      platform.frames.free(head, order: poolCell.value[number].size.order)
    } else {
      poolCell.value[number].free.append(head)
    }
  }

  /// Undoes `takeHugePage` for a mapping.
  @usableFromInline
  func untakeHugePage(
    _ head: FrameNumber, _ space: Space<Database>, _ area: VMA, at address: VirtualAddress, wasReserved: Bool
  ) {
    guard let file = files[area.file].hugeTLB else { return }
    if wasReserved {
      poolCell.value[file.pool].reserved += 1
      poolCell.value[file.pool].free.append(head)
      if area.isPrivate {
        space.layout.hugeReservations.insert(address.raw)
      } else {
        files[area.file].hugeTLB?.reserved.insert(area.hugeIndex(at: address, file.size))
      }
    } else {
      putHugePage(head, file.pool)
    }
  }

  /// Pages that `space` had for itself in a private mapping are unmapped and free. Where the pool has no surplus pages,
  /// the mapping that was promised them can have them again.
  @usableFromInline
  func putBack(_ pages: [(head: FrameNumber, address: VirtualAddress)], _ space: Space<Database>, _ area: VMA)
  {
    guard !pages.isEmpty, let file = files[area.file].hugeTLB else { return }
    let isRestoring = poolCell.value[file.pool].surplus == 0 && area.ownsHugeReservations
    for page in pages {
      putHugePage(page.head, file.pool)
      guard isRestoring else { continue }
      poolCell.value[file.pool].reserved += 1
      space.layout.hugeReservations.insert(page.address.raw)
    }
  }

  /// Makes a page's bytes zero.
  @usableFromInline func clearHugePage(_ head: FrameNumber, _ size: PageSize) {
    _ = platform.frames.clearBlock(head, frames: Mutation.pooledPageUnclean.isPlanted ? 1 : size.basePages)
    meter.count(.contentZeroed, size.basePages)
  }

  /// Makes a page's bytes those of another.
  @usableFromInline func copyHugePage(_ source: FrameNumber, to head: FrameNumber, _ size: PageSize) {
    platform.frames.markUsed(head, frames: size.basePages)
    let bytes = Mutation.pooledCopyTooShort.isPlanted ? PageSize.base.bytes : size.bytes
    platform.memory.copy(from: source.address, to: head.address, bytes: bytes)
    meter.count(.contentCopied, size.basePages)
  }
}
