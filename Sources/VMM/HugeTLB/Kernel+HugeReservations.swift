// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Mutations
public import SimMemory

// Promises of huge pages: to shared mappings by the file, to private ones by the address space that mapped them. A page
// that was promised is there when it is touched; nobody else gets it.
extension Kernel {
  /// Promises `count` pages of a pool, which grows for that as far as it may (Linux: `gather_surplus_pages`).
  /// - Returns: false when there are too few; nothing has changed then.
  func reserve(_ count: UInt64, in number: Int) -> Bool {
    let pool = poolCell.value[number]
    guard count > pool.available else {
      poolCell.value[number].reserved += count
      return true
    }
    let needed = count - pool.available
    guard needed <= platform.memory.frameCount >> UInt64(pool.size.order) else { return false }
    if !hugePoolsFollowDemand {
      guard pool.surplus < pool.overcommit, needed <= pool.overcommit - pool.surplus else { return false }
    }
    var fresh: [FrameNumber] = []
    while UInt64(fresh.count) < needed {
      guard let head = takeBlock(pool.size) else {
        for head in fresh { platform.frames.free(head, order: pool.size.order) }
        return false
      }
      fresh.append(head)
    }
    poolCell.value[number].free.append(contentsOf: fresh)
    for head in fresh { poolCell.value[number].noteGain(platform.frames.node(of: head)) }
    if !hugePoolsFollowDemand { poolCell.value[number].surplus += needed }
    poolCell.value[number].reserved += count
    return true
  }

  /// Takes promises back, and with them as many free surplus pages (Linux: `return_unused_surplus_pages`).
  func unreserve(_ count: UInt64, in number: Int) {
    poolCell.value[number].reserved -= count
    let pool = poolCell.value[number]
    for _ in 0..<min(count, pool.surplus, pool.freePages) {
      poolCell.value[number].surplus -= 1
      freePoolPage(number)
    }
  }

  /// Notes what was promised to a mapping that is there now.
  func noteReservations(_ area: VMA, _ space: Space<Database>) {
    guard let file = files[area.file].hugeTLB, reservesPages(area, file) else { return }
    if area.isPrivate {
      for page in hugePages(of: area.range, file.size) { space.layout.hugeReservations.insert(page) }
      return
    }
    for index in area.hugeIndices(area.range, file.size) where file.pages[index] == nil {
      files[area.file].hugeTLB?.reserved.insert(index)
    }
  }

  /// How many pages of the pool have to be promised before `area` can be mapped.
  func neededReservations(_ area: VMA) -> UInt64 {
    guard let file = files[area.file].hugeTLB, reservesPages(area, file) else { return 0 }
    let indices = area.hugeIndices(area.range, file.size)
    return area.isPrivate ? UInt64(indices.count) : file.unreserved(in: indices)
  }

  private func reservesPages(_ area: VMA, _ file: HugeFile) -> Bool {
    !area.flags.contains(.noReserve) && !file.isSegment
  }

  /// The addresses of the huge pages of a range.
  func hugePages(of range: VirtualRange, _ size: PageSize) -> StrideTo<UInt64> {
    stride(from: range.start.raw, to: range.end.raw, by: Int(size.bytes))
  }

  /// A private mapping is gone: what was promised to it, and not used, is free for others.
  func dropReservations(_ area: VMA, _ space: Space<Database>) {
    guard area.isPrivate, !space.layout.hugeReservations.isEmpty, let file = files[area.file].hugeTLB else {
      return
    }
    var dropped: UInt64 = 0
    for page in hugePages(of: area.range, file.size)
    where space.layout.hugeReservations.remove(page) != nil { dropped += 1 }
    if !Mutation.reservationLeaked.isPlanted { unreserve(dropped, in: file.pool) }
  }

  /// A private mapping moves, and with it what was promised to it.
  @usableFromInline
  func moveReservations(_ space: Space<Database>, _ source: VirtualRange, to target: VirtualAddress) {
    let moved = space.layout.hugeReservations.filter { source.contains(VirtualAddress($0)) }
    space.layout.hugeReservations.subtract(moved)
    for page in moved { space.layout.hugeReservations.insert(page &- source.start.raw &+ target.raw) }
  }
}
