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
    guard space.layout.hugeReservations.contains(address.raw) else { return takeUnreserved(file.pool) }
    let supply = takePromised(file.pool)
    if case .page = supply { space.layout.hugeReservations.remove(address.raw) }
    return supply
  }

  /// A page for page `index` of a file.
  func takeHugePage(of id: FileID, _ index: UInt64) -> HugePageSupply {
    guard let file = files[id].hugeTLB else { return .exhausted }
    guard file.reserved.contains(index) else { return takeUnreserved(file.pool) }
    let supply = takePromised(file.pool)
    if case .page = supply { files[id].hugeTLB?.reserved.remove(index) }
    return supply
  }

  /// A page for a promise, which ends with that. A promise is for a page of any node: where the policy admits none of the
  /// free ones the pool has to grow, or the fault fails (as on Linux).
  private func takePromised(_ number: Int) -> HugePageSupply {
    var supply = HugePageSupply.exhausted
    if let head = takeFree(number) {
      supply = .page(head, wasReserved: true)
    } else {
      supply = takeSurplus(number)
      if case .page(let head, _) = supply { supply = .page(head, wasReserved: true) }
    }
    if case .page = supply { poolCell.value[number].reserved -= 1 }
    return supply
  }

  /// A free page of the pool: with several nodes the nearest one that the policy admits.
  private func takeFree(_ number: Int) -> FrameNumber? {
    guard counters.value.placesPages, platform.frames.nodeCount > 1 else {
      return poolCell.value[number].free.popLast()
    }
    let choice = choose(poolCell.value[number].size.order)
    let index =
      nearestFree(number, to: choice.node, in: choice.first)
      ?? choice.rest.flatMap { nearestFree(number, to: choice.node, in: $0) }
    return index.map { poolCell.value[number].free.remove(at: $0) }
  }

  private func nearestFree(_ number: Int, to node: Int, in nodes: NodeSet) -> Int? {
    let free = poolCell.value[number].free
    var best: (distance: Int, index: Int)?
    for index in free.indices.reversed() {
      let candidate = platform.frames.node(of: free[index])
      let distance = Int(numaCell.value.map[node, candidate])
      if nodes.contains(candidate), distance < best?.distance ?? .max { best = (distance, index) }
    }
    return best?.index
  }

  private func takeUnreserved(_ number: Int) -> HugePageSupply {
    let pool = poolCell.value[number]
    if pool.available > 0, let head = takeFree(number) { return .page(head, wasReserved: false) }
    return takeSurplus(number)
  }

  private func takeSurplus(_ number: Int) -> HugePageSupply {
    let pool = poolCell.value[number]
    guard hugePoolsFollowDemand || pool.surplus < pool.overcommit else { return .exhausted }
    let isPlaced = counters.value.placesPages
    guard let head = isPlaced ? takePlacedBlock(pool.size) : takeFreeBlock(pool.size) else { return .noBlock }
    poolCell.value[number].noteGain(platform.frames.node(of: head))
    if !hugePoolsFollowDemand { poolCell.value[number].surplus += 1 }
    return .page(head, wasReserved: false)
  }

  private func takePlacedBlock(_ size: PageSize) -> FrameNumber? {
    guard let head = takePlacedFrame(size.order, isCharged: false) else { return nil }
    meter.count(.blockAllocated)
    return head
  }

  /// A page that nobody uses goes back to its pool, or further to the frame allocator while the pool has surplus pages.
  @usableFromInline func putHugePage(_ head: FrameNumber, _ number: Int) {
    if poolCell.value[number].surplus > 0 {
      poolCell.value[number].surplus -= 1
      giveUp(head, number)
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
