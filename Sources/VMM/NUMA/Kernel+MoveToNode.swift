// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// A page as it moves: alone, or a huge page as a whole.
@usableFromInline struct MovablePage: Hashable {
  /// Its first frame.
  @usableFromInline var frame: FrameNumber
  /// The binary logarithm of its base pages.
  @usableFromInline var order: Int
  @usableFromInline init(frame: FrameNumber, order: Int) {
    self.frame = frame
    self.order = order
  }
}

/// Where a page is to move.
@usableFromInline enum MoveTarget {
  /// To this node and no other.
  case node(Int)
  /// To where the policy says for the page at an address of an area.
  case policy(UInt16, VirtualAddress)
}

extension Kernel {
  /// The page that `object` maps at `address`: the whole block while nobody has split it.
  @usableFromInline func movablePage(_ object: Database.Object, _ address: VirtualAddress) -> MovablePage {
    if object.size != .base, !platform.frames.isCut(object.frame) {
      return MovablePage(frame: object.frame, order: object.size.order)
    }
    return MovablePage(frame: frame(of: object, at: address), order: 0)
  }

  /// Whether several translations have the page.
  @usableFromInline func isShared(_ page: MovablePage) -> Bool {
    platform.frames.table.mappings(page.frame) > 1
  }

  /// Moves a page. A huge page for which there is no block is split, and its base pages move one by one.
  /// - Returns: how many of its base pages are not where they should be.
  @inlinable @inline(never)
  func move(_ page: MovablePage, to destination: MoveTarget) -> UInt64 {
    guard page.order == 0 || isMovable(page.frame) else { return 1 &<< UInt64(page.order) }
    if page.order > 0, platform.frames.isCut(page.frame) {
      return moveParts(page, to: destination)
    }
    switch moveWhole(page, to: destination) {
    case .done: return 0
    case .busy: return 1 &<< UInt64(page.order)
    case .noMemory: return page.order == 0 ? 1 : moveParts(page, to: destination)
    }
  }

  @inlinable func moveWhole(_ page: MovablePage, to destination: MoveTarget) -> MigrationOutcome {
    guard let target = takeFrame(for: destination, order: page.order) else { return .noMemory }
    return migrate(page.frame, to: target, order: page.order)
  }

  @inlinable func moveParts(_ page: MovablePage, to destination: MoveTarget) -> UInt64 {
    let count = (1 as UInt64) &<< UInt64(page.order)
    if !platform.frames.isCut(page.frame) {
      forEachTranslation(of: page.frame, splitting: true) { _, _, _ in true }
      guard platform.frames.isCut(page.frame) else { return count }
    }
    var left: UInt64 = 0
    for step in 0..<count {
      let frame = page.frame.advanced(by: step)
      guard platform.frames.table.mappings(frame) > 0, isElsewhere(frame, destination) else { continue }
      if case .done = moveWhole(MovablePage(frame: frame, order: 0), to: destination.advanced(by: step)) {
        continue
      }
      left &+= 1
    }
    return left
  }

  @usableFromInline func isElsewhere(_ frame: FrameNumber, _ destination: MoveTarget) -> Bool {
    guard case .node(let node) = destination else { return true }
    return platform.frames.node(of: frame) != node
  }

  /// A frame at the destination; a block for a huge page.
  @usableFromInline func takeFrame(for destination: MoveTarget, order: Int) -> FrameNumber? {
    let frame: FrameNumber?
    switch destination {
    case .node(let node):
      frame = platform.frames.allocate(order: order, node: node, within: 1 << UInt64(node))
    case .policy(let number, let address):
      guard let space = spaceCell.value[Int(number)], let area = space.layout.areas.area(at: address) else {
        return nil
      }
      aim(space, area, address)
      frame = takePlacedFrame(order)
    }
    // Nothing is emptied for a page that has a place already.
    if frame == nil { _ = platform.frames.takeFailedOrder() } else { meter.count(.frameAllocated) }
    return frame
  }
}

extension MoveTarget {
  /// The destination of the base page `step` pages on.
  @usableFromInline func advanced(by step: UInt64) -> MoveTarget {
    guard case .policy(let space, let address) = self else { return self }
    return .policy(space, address.advanced(by: step << 12))
  }
}

extension Kernel {
  /// Begins to move the page at `address` and leaves it on its way, for whoever wants to see what others do meanwhile. It
  /// arrives with the next fault on it, the next fork, or the end.
  /// - Returns: whether it is on its way.
  public func startMove(_ address: VirtualAddress, of space: Space<Database>, to node: Int) -> Bool {
    let object = space.database.find(address)
    guard object.isPresent, !object.isSpecial else { return false }
    let page = movablePage(object, address)
    guard let target = takeFrame(for: .node(node), order: page.order) else { return false }
    if beginMigration(of: page.frame, to: target, order: page.order) != nil { return true }
    freeUnused(target, order: page.order)
    return false
  }
}
