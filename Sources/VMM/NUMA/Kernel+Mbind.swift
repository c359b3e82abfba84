// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// MPOL_MF_* bits of calls that move pages.
@usableFromInline enum MoveFlag {
  /// Pages that are elsewhere, and cannot or must not move, are an error.
  @usableFromInline static var strict: UInt64 { 1 }
  /// Move pages that nobody else has.
  @usableFromInline static var move: UInt64 { 2 }
  /// Move shared pages too.
  @usableFromInline static var moveAll: UInt64 { 4 }
}

extension Kernel {
  /// `mbind(start, length, mode, mask, bits, flags)`.
  @inlinable func mbind(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    try checkMode(request[2])
    let named = try loadNodes(process, VirtualAddress(request[3]), maximum: request[4])
    var flags = request[5] & 0xFFFF_FFFF
    guard flags & ~7 == 0 else { throw .einval }
    if flags & MoveFlag.moveAll != 0, !process.privileges.contains(.schedule) { throw .eperm }
    guard request.address(0).isAligned(to: .base) else { throw .einval }
    if request[2] & 0xFFFF_FFFF == 0 { flags &= ~MoveFlag.strict }
    let range = try policyRange(request.address(0), request[1])
    if range.isEmpty { return 0 }
    let policy = try parsePolicy(process, request[2], named)
    let pages = try misplacedPages(process.space, range, outside: named, flags)
    try commit(request)
    try setPolicy(process.space, range, policy)
    let failed = movePages(pages, in: process.space)
    if failed > 0, flags & MoveFlag.strict != 0 { throw .eio }
    return 0
  }

  /// Whole pages; wrapping around is refused.
  @usableFromInline
  func policyRange(_ start: VirtualAddress, _ bytes: UInt64) throws(Errno) -> VirtualRange {
    let length = wrappingPageAligned(bytes)
    guard start.raw &+ length >= start.raw else { throw .einval }
    return VirtualRange(start, bytes: length)
  }

  /// Looks at the pages of `range` that are on other nodes than `named`.
  /// - Returns: those that are to move, with their addresses.
  /// - Throws: `.efault` at a hole; `.eio` where there is one and flags say that there must be none, and not to move any.
  @inlinable
  func misplacedPages(
    _ space: Space<Database>, _ range: VirtualRange, outside named: NodeSet, _ flags: UInt64
  ) throws(Errno) -> [(page: MovablePage, address: VirtualAddress)] {
    var found: [(page: MovablePage, address: VirtualAddress)] = []
    var next = range.start
    for area in overlapping(space, range) {
      meter.count(.vmaStep)
      guard area.range.start <= next else { throw .efault }
      next = area.range.end
      if next < range.end, !covers(space, VirtualRange(page: next, .base)) { throw .efault }
      guard flags & 7 != 0 else { continue }
      collectPages(space, area.range.intersection(range), isWanted: { !named.contains($0) }, into: &found)
      if flags & 7 == MoveFlag.strict, !found.isEmpty { throw .eio }
    }
    if next < range.end { throw .efault }
    if flags & MoveFlag.moveAll == 0 { found.removeAll { isShared($0.page) } }
    return found
  }

  /// Collects the pages of `range` in memory on nodes that are wanted; pages of zeroes are nobody's.
  @inlinable
  func collectPages(
    _ space: Space<Database>, _ range: VirtualRange, isWanted: (Int) -> Bool,
    into found: inout [(page: MovablePage, address: VirtualAddress)]
  ) {
    let database = space.database
    var iterator = database.makeIterator(over: range)
    while let object = database.nextMapped(&iterator) {
      guard object.isPresent, !object.isSpecial else { continue }
      let part = object.span.intersection(range)
      var address = part.start
      while address < part.end {
        let page = movablePage(object, address)
        if isWanted(platform.frames.node(of: page.frame)) {
          found.append((page, page.order > 0 ? object.start : address))
        }
        address = page.order > 0 ? part.end : address.advanced(by: PageSize.base.bytes)
      }
    }
    database.endIteration(iterator)
  }

  /// Gives all areas of `range` a policy, and shared memory behind them its own.
  @inlinable
  func setPolicy(_ space: Space<Database>, _ range: VirtualRange, _ policy: MemoryPolicy) throws(Errno) {
    let number = try policyNumber(policy)
    try checkAreaCount(space, range)
    try checkHugeEdges(space, range)
    try cutAtEdges(space, range)
    notePolicy(space, range, number)
  }

  @usableFromInline func policyNumber(_ policy: MemoryPolicy) throws(Errno) -> UInt16 {
    try numaCell.value.number(of: policy)
  }

  @usableFromInline func checkAreaCount(_ space: Space<Database>, _ range: VirtualRange) throws(Errno) {
    let areas = space.layout.areas
    guard areas.areas.count + areas.splits(at: range) <= maximumAreas else { throw .enomem }
  }

  @usableFromInline func notePolicy(_ space: Space<Database>, _ range: VirtualRange, _ number: UInt16) {
    for area in space.layout.areas.overlapping(range) {
      guard let file = sharedMemory(of: area) else { continue }
      let part = area.range.intersection(range)
      let first = area.filePage(at: part.start)
      file.policies.set(number, first..<first + part.pages)
    }
    countChange(space, space.layout.areas.update(range) { $0.policy = number })
  }

  /// Moves pages to where the policies of their areas say.
  /// - Returns: how many are not there.
  @inlinable
  func movePages(_ pages: [(page: MovablePage, address: VirtualAddress)], in space: Space<Database>) -> UInt64
  {
    guard !pages.isEmpty else { return 0 }
    var failed: UInt64 = 0
    for (page, address) in pages where isWorthMoving(page, address, space) {
      failed &+= move(page, to: .policy(space.number, address))
    }
    return failed
  }

  /// Whether the page is not yet on a node that the policy wants.
  @usableFromInline
  func isWorthMoving(_ page: MovablePage, _ address: VirtualAddress, _ space: Space<Database>) -> Bool {
    guard counters.value.placesPages, let area = space.layout.areas.area(at: address) else { return false }
    aim(space, area, address)
    let (choice, node) = (choose(page.order), platform.frames.node(of: page.frame))
    return choice.wanted.isEmpty ? choice.node != node : !choice.wanted.contains(node)
  }

  /// `set_mempolicy_home_node(start, length, node, flags)`: the node that counts as the local one for areas that are
  /// bound to, or prefer, several nodes.
  @inlinable
  func setHomeNode(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    guard request.address(0).isAligned(to: .base), request[3] == 0,
      request[2] < UInt64(platform.frames.nodeCount)
    else { throw .einval }
    let range = try policyRange(request.address(0), request[1])
    if range.isEmpty { return 0 }
    try commit(request)
    return try giveHome(process.space, range, Int8(truncatingIfNeeded: request[2]))
  }

  @inlinable
  func giveHome(_ space: Space<Database>, _ range: VirtualRange, _ home: Int8) throws(Errno) -> UInt64 {
    var isFound = false
    for area in overlapping(space, range) {
      meter.count(.vmaStep)
      guard var policy = ownPolicy(area) else { continue }
      guard policy.mode == .bind || policy.mode == .preferredMany else { throw .eopnotsupp }
      isFound = true
      policy.home = home
      try setPolicy(space, area.range.intersection(range), policy)
    }
    guard isFound else { throw .enoent }
    return 0
  }

  @usableFromInline func ownPolicy(_ area: VMA) -> MemoryPolicy? {
    area.policy == 0 ? nil : numaCell.value.policies[Int(area.policy)]
  }
}
