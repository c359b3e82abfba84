// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Which node uses a page? A job makes pages inaccessible now and then; the fault on the next use makes them accessible
// again and knows the CPU. A page moves to a CPU's node when its last two such faults came from there.
extension Kernel {
  /// Whether and how pages move to the nodes where they are used.
  public var balancing: BalancingSettings {
    get { numaCell.value.balancing }
    set {
      numaCell.value.balancing = newValue
      counters.value.seesHints = newValue.isOn
      if !newValue.isOn { numaCell.value.lastUsers = [:] }
    }
  }

  /// One pass of the job that marks pages; whoever runs the machine says when. It goes through the address spaces in
  /// order of process numbers, from where the last pass stopped.
  /// - Returns: how many base pages were marked.
  @inlinable @inline(never) @discardableResult
  public func markForHints() -> UInt64 {
    guard numaCell.value.balancing.isOn, platform.frames.nodeCount > 1 else { return 0 }
    let mark = meter.enter(.other)
    defer { meter.leave(mark) }
    var budget = numaCell.value.balancing.pagesPerPass
    let limit = budget
    while budget > 0, let (space, start) = nextSpaceToMark() {
      let stop = markForHints(space, from: start, &budget)
      leaveSpaceToMark(at: stop)
    }
    noteHinted(limit &- budget)
    return limit &- budget
  }

  @usableFromInline func noteHinted(_ pages: UInt64) { numaCell.value.counts.hinted += pages }

  @usableFromInline func nextSpaceToMark() -> (Space<Database>, VirtualAddress)? {
    let cursor = numaCell.value.hintCursor
    for pid in processes.keys.sorted() where pid >= cursor.pid {
      guard let space = processes[pid]?.space, users(of: space).first == pid else { continue }
      let start = pid == cursor.pid ? cursor.address : VirtualAddress(0)
      numaCell.value.hintCursor.pid = pid
      numaCell.value.hintCursor.address = start
      return (space, start)
    }
    numaCell.value.hintCursor = CollapseCursor()
    return nil
  }

  @usableFromInline func leaveSpaceToMark(at stop: VirtualAddress?) {
    if let stop {
      numaCell.value.hintCursor.address = stop
    } else {
      numaCell.value.hintCursor.pid += 1
      numaCell.value.hintCursor.address = VirtualAddress(0)
    }
  }

  /// Areas whose pages may move: those without a policy that keeps them where they are, and not code of files.
  @usableFromInline func mayBalance(_ space: Space<Database>, _ area: VMA) -> Bool {
    guard !area.rights.isEmpty, !area.flags.contains(.hugeTLB) else { return false }
    let policy = policy(space, of: area, at: area.range.start)
    guard policy.mode == .standard || policy.flags & MemoryPolicy.balancing != 0 else { return false }
    return area.isAnonymous || area.rights.contains(.write) || !area.rights.contains(.execute)
  }

  /// - Returns: where the budget ended; nil at the end of the space.
  @inlinable
  func markForHints(_ space: Space<Database>, from start: VirtualAddress, _ budget: inout UInt64)
    -> VirtualAddress?
  {
    let database = space.database
    for area in areas(space, from: start) where mayBalance(space, area) {
      meter.count(.vmaStep)
      let part = VirtualRange(Swift.max(area.range.start, start), area.range.end)
      guard !part.isEmpty else { continue }
      var lock = database.rangeLock(over: part)
      database.lockForWriting(&lock)
      defer {
        database.unlock(&lock)
        database.putLock(lock)
      }
      var iterator = database.makeIterator(over: part)
      defer { database.endIteration(iterator) }
      while let object = database.nextMapped(&iterator) {
        guard object.isPresent, !object.isSpecial, object.isReadable else { continue }
        if budget == 0 { return object.start }
        do {
          let change = try database.updateAttributes(at: object.start) { $0.isReadable = false }
          database.settle(change.takeObligation())
        } catch { preconditionFailure("a page that was just seen is gone") }
        budget = budget > object.size.basePages ? budget &- object.size.basePages : 0
      }
    }
    return nil
  }

  /// A page that was inaccessible in an accessible area was used. The caller gives the rights back, and moves the page
  /// when it has let go of the locks.
  @usableFromInline @inline(never)
  func noteHint(_ space: Space<Database>, _ address: VirtualAddress) -> MovablePage? {
    let object = space.database.find(address)
    guard object.isPresent, !object.isSpecial else { return nil }
    let page = movablePage(object, address)
    let (user, node) = (localNode(space), platform.frames.node(of: page.frame))
    numaCell.value.counts.hintFaults += 1
    if user == node { numaCell.value.counts.localHintFaults += 1 }
    let key = platform.frames.table.word(page.frame)
    let last = numaCell.value.lastUsers.updateValue(UInt8(user), forKey: key)
    guard last == UInt8(user), user != node, mayMove(page, to: user, space, address) else { return nil }
    return page
  }

  private func mayMove(
    _ page: MovablePage, to node: Int, _ space: Space<Database>, _ address: VirtualAddress
  ) -> Bool {
    guard allowedNodes(space).contains(node), let area = space.layout.areas.area(at: address),
      page.order > 0 || isMovable(page.frame)
    else { return false }
    let policy = policy(space, of: area, at: address)
    return policy.mode == .standard || policy.nodes.contains(node)
  }

  /// Moves a page to the node of its user.
  @inlinable @inline(never)
  func followUser(_ space: Space<Database>, _ page: MovablePage) {
    let node = localNode(space)
    guard case .done = moveWhole(page, to: .node(node)) else { return }
    noteFollowed(page)
  }

  @usableFromInline func noteFollowed(_ page: MovablePage) {
    numaCell.value.counts.hintMigrated += 1 << UInt64(page.order)
  }
}
