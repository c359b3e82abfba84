// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

// Tables follow the task's policy, as on Linux. The contract lets the memory manager say from which node a database's
// tables are to come; if that node has none, the nearest one that has gives it.
extension Kernel {
  /// The tables of `space` come from the node that its task's policy says now.
  func aimTables(_ space: Space<Database>) {
    let context = space.database.context
    let policy = numaCell.value.aim.policy
    if policy.isInterleaved {
      let taken = context.tables.taken
      guard taken != space.layout.placement.tablesSeen || !policy.nodes.contains(context.node) else { return }
      space.layout.placement.tablesSeen = taken
      let next = policy.nodes.next(after: space.layout.placement.lastTableNode) ?? numaCell.value.aim.local
      space.layout.placement.lastTableNode = next
      context.node = next
    } else {
      let node = nodeForTables()
      if context.node != node { context.node = node }
    }
  }

  /// The node for the first tables of a new address space.
  @usableFromInline func nodeForTables() -> Int {
    guard counters.value.placesPages else { return 0 }
    let (aim, map) = (numaCell.value.aim, numaCell.value.map)
    let named = aim.policy.nodes.intersection(aim.allowed)
    let home = aim.policy.home >= 0 ? Int(aim.policy.home) : aim.local
    let wanted: Int? =
      switch aim.policy.mode {
      case .standard, .local: aim.local
      case .preferred, .interleave, .weightedInterleave: named.lowest
      case .bind, .preferredMany: map.nearest(to: home, among: named)
      }
    guard let wanted, aim.allowed.contains(wanted) else {
      return map.nearest(to: aim.local, among: aim.allowed) ?? 0
    }
    return wanted
  }

  /// Bytes that the tables of `space` hold on each node. Exact: what the frame allocator handed out.
  public func tableBytesByNode(_ space: Space<Database>) -> [UInt64] {
    let tables = space.database.context.tables
    return (0..<platform.frames.nodeCount).map { tables.frames(onNode: $0) << 12 }
  }

  /// Bytes that the tables of all processes hold on each node; the kernel's own tables are not among them.
  public var tableBytesByNode: [UInt64] {
    spaces.reduce(Array(repeating: 0, count: platform.frames.nodeCount)) { sum, space in
      zip(sum, tableBytesByNode(space)).map { $0 + $1 }
    }
  }

  /// Base pages of `space` in memory on each node, pages of zeroes aside.
  public func pagesByNode(_ space: Space<Database>) -> [UInt64] {
    var pages: [UInt64] = Array(repeating: 0, count: platform.frames.nodeCount)
    var database = space.database
    database.context.cpu = platform.observer
    for area in space.layout.areas.areas {
      var iterator = database.makeIterator(over: area.range)
      while let object = database.nextMapped(&iterator) {
        guard object.isPresent, !object.isSpecial else { continue }
        let part = object.span.intersection(area.range)
        for step in 0..<part.pages {
          let frame = frame(of: object, at: part.start.advanced(by: step << 12))
          pages[platform.frames.node(of: frame)] += 1
        }
      }
      database.endIteration(iterator)
    }
    return pages
  }

  /// The node of the page at `address`; nil where none is in memory.
  public func node(ofPageAt address: VirtualAddress, in space: Space<Database>) -> Int? {
    let object = space.database.find(address)
    guard object.isPresent else { return nil }
    return platform.frames.node(of: frame(of: object, at: address))
  }
}
