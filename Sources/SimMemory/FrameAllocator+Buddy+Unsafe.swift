// SPDX-License-Identifier: MIT
public import Synchronization

// SAFETY of this file: the caller holds the node's lock; list links are frame numbers of the node.
extension FrameAllocator {
  @inlinable func lock(_ node: Int) { lockWord(node).lockForWriting() }
  @inlinable func unlock(_ node: Int) { lockWord(node).unlockWriting() }

  /// The slow path of every allocation: buddy lists of `node`, then its cache, then the other nodes.
  @usableFromInline @inline(never) func allocateSlowly(order: Int, node: Int) -> FrameNumber? {
    let frame = search(order: order, node: node)
    if frame == nil { unsafe plan.pointee.failedOrder = max(plan.pointee.failedOrder, order) }
    return frame
  }

  private func search(order: Int, node: Int) -> FrameNumber? {
    if let frame = take(order: order, node: node) { return frame }
    if order > 0, unsafe nodes[node].cached > 0 {
      drainCache(node)
      if let frame = take(order: order, node: node) { return frame }
    }
    guard nodeCount > 1 else { return nil }
    // One node's lock at a time: two CPUs whose nodes are exhausted would wait for each other for ever.
    unlock(node)
    defer { lock(node) }
    for step in 1..<nodeCount {
      let other = fallback(of: node, step: step)
      lock(other)
      defer { unlock(other) }
      drainCache(other)
      if let frame = take(order: order, node: other) { return frame }
    }
    return nil
  }

  /// From the cache or the lists of `node`, whose lock is held, and of no other one.
  func takeHere(order: Int, node: Int) -> FrameNumber? {
    if order == 0, unsafe nodes[node].cached > 0 {
      unsafe nodes[node].cached -= 1
      let frame = unsafe nodes[node].cache[nodes[node].cached]
      unsafe nodes[node].freeFrames -= 1
      unsafe table.records[Int(frame)].state = FrameState.allocated.rawValue
      return FrameNumber(UInt64(frame))
    }
    if let frame = take(order: order, node: node) { return frame }
    guard order > 0, unsafe nodes[node].cached > 0 else { return nil }
    drainCache(node)
    return take(order: order, node: node)
  }

  /// Cuts the smallest sufficient block; single frames refill the cache from a block of 32.
  private func take(order: Int, node: Int) -> FrameNumber? {
    var found = order
    while found <= NodeState.maximumOrder, unsafe nodes[node].heads[found] == 0 { found += 1 }
    guard found <= NodeState.maximumOrder else { return nil }
    let head = unsafe nodes[node].heads[found]
    unlink(head, order: found, node: node)
    var size = found
    while size > order {
      size -= 1
      link(head + UInt32(1 << size), order: size, node: node)
    }
    unsafe table.records[Int(head)].state = FrameState.allocated.rawValue
    unsafe table.records[Int(head)].order = UInt8(order)
    unsafe nodes[node].freeFrames -= 1 << UInt64(order)
    if order == 0 { refillCache(node) }
    return FrameNumber(UInt64(head))
  }

  /// Fills half of the cache with the frames of one block, lowest address on top.
  private func refillCache(_ node: Int) {
    var order = 5
    while order <= NodeState.maximumOrder, unsafe nodes[node].heads[order] == 0 { order += 1 }
    guard order <= NodeState.maximumOrder else { return }
    let head = unsafe nodes[node].heads[order]
    unlink(head, order: order, node: node)
    while order > 5 {
      order -= 1
      link(head + UInt32(1 << order), order: order, node: node)
    }
    for step in (0..<UInt32(32)).reversed() {
      unsafe table.records[Int(head + step)].state = FrameState.cached.rawValue
      unsafe table.records[Int(head + step)].order = 0
      unsafe nodes[node].cache[nodes[node].cached] = head + step
      unsafe nodes[node].cached += 1
    }
  }

  private func drainCache(_ node: Int) {
    while unsafe nodes[node].cached > 0 {
      unsafe nodes[node].cached -= 1
      insert(FrameNumber(UInt64(unsafe nodes[node].cache[nodes[node].cached])), order: 0, node: node)
    }
  }

  /// Puts a block on its list and merges it with its free buddies.
  @usableFromInline func insert(_ frame: FrameNumber, order: Int, node: Int) {
    var head = UInt32(truncatingIfNeeded: frame.raw)
    var order = order
    while order < NodeState.maximumOrder {
      let buddy = head ^ (1 << UInt32(order))
      let low = min(head, buddy)
      guard unsafe buddy >= nodes[node].first, unsafe low + (2 << UInt32(order)) <= nodes[node].end,
        unsafe table.records[Int(buddy)].state == FrameState.free.rawValue,
        unsafe table.records[Int(buddy)].order == UInt8(order)
      else { break }
      unlink(buddy, order: order, node: node)
      unsafe table.records[Int(max(head, buddy))].state = FrameState.merged.rawValue
      head = low
      order += 1
    }
    link(head, order: order, node: node)
  }

  func link(_ head: UInt32, order: Int, node: Int) {
    let first = unsafe nodes[node].heads[order]
    unsafe table.records[Int(head)].next = first
    unsafe table.records[Int(head)].previous = 0
    unsafe table.records[Int(head)].order = UInt8(order)
    unsafe table.records[Int(head)].state = FrameState.free.rawValue
    if first != 0 { unsafe table.records[Int(first)].previous = head }
    unsafe nodes[node].heads[order] = head
  }

  func unlink(_ head: UInt32, order: Int, node: Int) {
    let next = unsafe table.records[Int(head)].next
    let previous = unsafe table.records[Int(head)].previous
    if previous != 0 {
      unsafe table.records[Int(previous)].next = next
    } else {
      unsafe nodes[node].heads[order] = next
    }
    if next != 0 { unsafe table.records[Int(next)].previous = previous }
  }

  /// A frame on its way back must be allocated and unused: anything else is a bug of the caller.
  @inlinable func checkIsIdle(_ frame: FrameNumber) {
    precondition(
      unsafe table.records[Int(frame.raw)].state == FrameState.allocated.rawValue, "frame freed twice")
    precondition(table.references(frame) == 0 && table.mappings(frame) == 0, "frame freed while in use")
    table.setFlags(0, frame)
    table.setWord(0, frame)
  }

  @inlinable func lockWord(_ node: Int) -> LockWord {
    unsafe LockWord(UnsafeMutableRawPointer(locks + node).assumingMemoryBound(to: Atomic<UInt64>.self))
  }
}
