// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

extension Kernel {
  /// `move_pages(pid, count, pages, nodes, status, flags)`: without nodes it only says where pages are.
  /// - Returns: how many pages were not moved.
  @inlinable func movePages(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno)
    -> UInt64
  {
    let flags = request[5] & 0xFFFF_FFFF
    guard flags & ~6 == 0 else { throw .einval }
    if flags & MoveFlag.moveAll != 0, !process.privileges.contains(.schedule) { throw .eperm }
    let target = try moveTarget(process, request[0])
    try commit(request)
    guard request[3] != 0 else { return try tellNodes(process, target, request) }
    return try movePages(process, target, request, movesShared: flags & MoveFlag.moveAll != 0)
  }

  /// The process whose pages are meant; 0 is the caller.
  @usableFromInline
  func moveTarget(_ process: Process<Database>, _ pid: UInt64) throws(Errno) -> Process<Database> {
    guard pid & 0xFFFF_FFFF != 0 else { return process }
    let target = try self.process(UInt32(truncatingIfNeeded: pid))
    guard process.mayReach(target) else { throw .eperm }
    return target
  }

  @inlinable
  func tellNodes(
    _ process: Process<Database>, _ target: Process<Database>, _ request: SystemCallRequest
  ) throws(Errno) -> UInt64 {
    for index in 0..<request[1] {
      let address = try loadUser(process, request.address(2).advanced(by: index &* 8))
      let status = pageStatus(target.space, VirtualAddress(address))
      try storeStatus(status, process, request, index)
    }
    return 0
  }

  @inlinable
  func storeStatus(
    _ status: Int64, _ process: Process<Database>, _ request: SystemCallRequest, _ index: UInt64
  ) throws(Errno) {
    try storeUser(
      UInt64(bitPattern: status), process, request.address(4).advanced(by: index &* 4), bytes: 4)
  }

  /// The node of a page, or the negative number of why there is none: EFAULT outside of areas and for pages of zeroes,
  /// ENOENT for what is not in memory.
  @usableFromInline func pageStatus(_ space: Space<Database>, _ address: VirtualAddress) -> Int64 {
    guard space.layout.areas.area(at: address) != nil else { return status(.efault) }
    let object = space.database.find(address)
    guard object.isPresent else { return status(.enoent) }
    if object.isSpecial { return status(.efault) }
    return Int64(platform.frames.node(of: frame(of: object, at: address)))
  }

  @usableFromInline func status(_ error: Errno) -> Int64 { -Int64(error.rawValue) }

  @inlinable
  func movePages(
    _ process: Process<Database>, _ target: Process<Database>, _ request: SystemCallRequest,
    movesShared: Bool
  ) throws(Errno) -> UInt64 {
    let count = request[1]
    for index in 0..<count {
      let address = try loadUser(process, request.address(2).advanced(by: index &* 8))
      let word = try loadUser(process, request.address(3).advanced(by: index &* 4), bytes: 4)
      let node = try checkNode(target.space, word)
      let (found, page) = pageToMove(target.space, VirtualAddress(address), node, movesShared: movesShared)
      if let page {
        let left = move(page, to: .node(node))
        // As on Linux: the pages behind the one that could not be moved are not tried.
        if left > 0 { return count &- index }
      }
      try storeStatus(found, process, request, index)
    }
    return 0
  }

  /// - Throws: `.enodev` for a node that the machine does not have, `.eacces` for one that the process may not use.
  @usableFromInline func checkNode(_ space: Space<Database>, _ word: UInt64) throws(Errno) -> Int {
    guard word < UInt64(platform.frames.nodeCount) else { throw .enodev }
    guard allowedNodes(space).contains(Int(word)) else { throw .eacces }
    return Int(word)
  }

  /// What a page's status will be, and the page if it has to move for that.
  @usableFromInline
  func pageToMove(
    _ space: Space<Database>, _ address: VirtualAddress, _ node: Int, movesShared: Bool
  ) -> (status: Int64, page: MovablePage?) {
    let current = pageStatus(space, address)
    guard current >= 0, current != Int64(node) else { return (current, nil) }
    let page = movablePage(space.database.find(address), address)
    if !movesShared, isShared(page) { return (status(.eacces), nil) }
    guard isMovable(page.frame) else { return (status(.ebusy), nil) }
    return (Int64(node), page)
  }

  /// `migrate_pages(pid, bits, old mask, new mask)`: moves a process's pages from nodes to others.
  /// - Returns: how many base pages were not moved.
  @inlinable
  func migratePages(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let old = try loadNodes(process, request.address(2), maximum: request[1])
    let new = try loadNodes(process, request.address(3), maximum: request[1])
    let target = try moveTarget(process, request[0])
    let (from, to) = try checkMigration(process, target, old, new)
    try commit(request)
    return migratePages(
      target.space, from: from, to: to, movesShared: process.privileges.contains(.schedule))
  }

  @usableFromInline
  func checkMigration(
    _ process: Process<Database>, _ target: Process<Database>, _ old: NodeSet, _ new: NodeSet
  ) throws(Errno) -> (NodeSet, NodeSet) {
    if !new.isSubset(of: allowedNodes(target.space)), !process.privileges.contains(.schedule) { throw .eperm }
    let to = new.intersection(allowedNodes(process.space))
    guard !to.isEmpty else { throw .einval }
    return (old, to)
  }

  /// Moves the pages of `space` from each node of `from` to the node at the same position of `to` (Linux:
  /// `do_migrate_pages`): first where the new node is not one that still has to be emptied, so that pages keep apart.
  @inlinable
  func migratePages(_ space: Space<Database>, from: NodeSet, to: NodeSet, movesShared: Bool) -> UInt64 {
    var waiting = from
    var left: UInt64 = 0
    while let (source, target) = nextPair(from, to, waiting) {
      waiting.bits &= ~NodeSet.only(source).bits
      left &+= emptyNode(space, source, into: target, movesShared: movesShared)
    }
    return left
  }

  @usableFromInline
  func nextPair(_ from: NodeSet, _ to: NodeSet, _ waiting: NodeSet) -> (source: Int, target: Int)? {
    var pair: (source: Int, target: Int)?
    for source in waiting.nodes {
      if from.count != to.count, to.contains(source) { continue }
      let target = from.remapped(source, to: to)
      if source == target { continue }
      pair = (source, target)
      if !waiting.contains(target) { break }
    }
    return pair
  }

  @inlinable
  func emptyNode(_ space: Space<Database>, _ source: Int, into target: Int, movesShared: Bool) -> UInt64 {
    var pages: [(page: MovablePage, address: VirtualAddress)] = []
    for area in overlapping(space, VirtualRange(VirtualAddress(0), userEnd)) {
      meter.count(.vmaStep)
      collectPages(space, area.range, isWanted: { $0 == source }, into: &pages)
    }
    var left: UInt64 = 0
    for (page, _) in pages where movesShared || !isShared(page) {
      // A page that is mapped twice was moved by its first place.
      guard platform.frames.table.mappings(page.frame) > 0 else { continue }
      left &+= move(page, to: .node(target))
    }
    return left
  }
}
