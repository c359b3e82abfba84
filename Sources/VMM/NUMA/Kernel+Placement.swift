// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Where pages come from. Whoever is about to need a page for somebody says so with `aim`; whoever allocates asks
// `takeFrame`. With one node none of this runs.
extension Kernel {
  /// The nodes of the machine. Distances and the nodes of CPUs may be changed, before memory is used.
  public var nodeMap: NodeMap {
    get { numaCell.value.map }
    set {
      precondition(newValue.count == platform.frames.nodeCount, "a map of another machine")
      numaCell.value.map = newValue
      platform.frames.setFallback { newValue[$0, $1] }
    }
  }

  /// Pages in turn that each node gives to MPOL_WEIGHTED_INTERLEAVE; at least 1 each.
  public var interleaveWeights: [UInt64] {
    get { numaCell.value.weights }
    set {
      precondition(newValue.count == platform.frames.nodeCount && newValue.allSatisfy { $0 > 0 })
      numaCell.value.weights = newValue
    }
  }

  /// The policy that processes start with which nobody forked: what a program such as numactl would give them.
  public var initialPolicy: MemoryPolicy {
    get { numaCell.value.initialPolicy }
    set { numaCell.value.initialPolicy = newValue }
  }

  /// What happened with nodes.
  public var numaCounts: NUMACounts { numaCell.value.counts }

  /// The node of the CPU that `space` runs on: the one that kernel work is done on, if a thread of the space runs there;
  /// else, for work that another process asks for, the one with the lowest number; the first CPU's for a space that runs
  /// nowhere.
  @usableFromInline func localNode(_ space: Space<Database>) -> Int {
    let (running, acting) = (space.database.context.runningOn, platform.cpu(0).acting)
    if running >> UInt64(acting) & 1 == 1 { return numaCell.value.map.node(ofCPU: acting) }
    return numaCell.value.map.node(ofCPU: running == 0 ? 0 : running.trailingZeroBitCount)
  }

  /// The nodes that processes of `space` may use.
  func allowedNodes(_ space: Space<Database>) -> NodeSet {
    space.layout.placement.allowed.intersection(numaCell.value.map.all)
  }

  /// The next pages are for the page at `address` of `area`.
  @usableFromInline @inline(never)
  func aim(_ space: Space<Database>, _ area: VMA, _ address: VirtualAddress) {
    aim(space)
    numaCell.value.aim.policy = policy(space, of: area, at: address)
    numaCell.value.aim.place = area.filePage(at: address)
  }

  /// The next pages are for `space`, without a place of their own.
  @usableFromInline @inline(never) func aim(_ space: Space<Database>) {
    var aim = Aim()
    aim.allowed = allowedNodes(space)
    aim.local = localNode(space)
    aim.space = space.number
    aim.policy = space.layout.placement.policy
    numaCell.value.aim = aim
    memoryGroups.value.obstacle = 0
    aimTables(space)
  }

  /// The next pages are for nobody in particular.
  @usableFromInline func aimAtNobody() {
    numaCell.value.aim = Aim()
    numaCell.value.aim.allowed = numaCell.value.map.all
    numaCell.value.aim.local = numaCell.value.map.node(ofCPU: 0)
    numaCell.value.aim.policy = numaCell.value.initialPolicy
  }

  /// The policy for the page at `address` of `area`: the object's for shared memory, else the area's, else the task's.
  func policy(_ space: Space<Database>, of area: VMA, at address: VirtualAddress) -> MemoryPolicy {
    var number = area.policy
    if let file = sharedMemory(of: area) { number = file.policies.policy(of: area.filePage(at: address)) }
    return number == 0 ? space.layout.placement.policy : numaCell.value.policies[Int(number)]
  }

  /// The shared memory that `area` maps.
  func sharedMemory(of area: VMA) -> FileObject? {
    guard area.file != .none, files[area.file].kind == .sharedMemory else { return nil }
    return files[area.file]
  }

  /// Runs `body` while pages come from where pages of a file come from: by the object's policy for shared memory, else
  /// by the task's, whose turn it is when it interleaves.
  func aiming<Result>(at id: FileID, _ page: UInt64, _ body: () -> Result) -> Result {
    guard counters.value.placesPages else { return body() }
    let before = numaCell.value.aim
    defer { numaCell.value.aim = before }
    guard
      let space = spaceCell.value.indices.contains(Int(before.space))
        ? spaceCell.value[Int(before.space)] : nil
    else { return body() }
    let task = space.layout.placement
    numaCell.value.aim.policy = task.policy
    numaCell.value.aim.place = nil
    if files[id].kind == .sharedMemory {
      let number = files[id].policies.policy(of: page)
      if number != 0 { numaCell.value.aim.policy = numaCell.value.policies[Int(number)] }
      numaCell.value.aim.place = page
    } else if task.spreadsFilePages {
      numaCell.value.aim.policy = MemoryPolicy(.interleave, nodes: before.allowed)
    }
    return body()
  }

  /// A block of 2^`order` frames for page contents. Nothing is known of its bytes.
  @inlinable func takeFrame(order: Int = 0) -> FrameNumber? {
    if counters.value.placesPages { return takePlacedFrame(order) }
    return order == 0 ? platform.frames.allocate() : platform.frames.allocate(order: order)
  }

  @usableFromInline @inline(never)
  func takePlacedFrame(_ order: Int, isCharged: Bool = true) -> FrameNumber? {
    guard let group = isCharged ? chargeBlock(order: order) : 0 else { return nil }
    let choice = choose(order)
    var frame = platform.frames.allocate(order: order, node: choice.node, within: choice.first.bits)
    if frame == nil, let rest = choice.rest {
      frame = platform.frames.allocate(order: order, node: choice.node, within: rest.bits)
    }
    noteCharged(frame, order: order, group)
    guard let frame else { return nil }
    let node = platform.frames.node(of: frame)
    if node == choice.node || choice.wanted.contains(node) {
      numaCell.value.counts.hits[node] += 1
    } else {
      numaCell.value.counts.misses[node] += 1
    }
    return frame
  }

  /// Which nodes are asked for a page, in which order: those of `first` by distance from `node`, then those of `rest`.
  func choose(_ order: Int) -> (node: Int, first: NodeSet, rest: NodeSet?, wanted: NodeSet) {
    let aim = numaCell.value.aim
    let policy = aim.policy
    let named = policy.nodes.intersection(aim.allowed)
    let home = policy.home >= 0 ? Int(policy.home) : aim.local
    switch policy.mode {
    case .standard, .local: return (aim.local, aim.allowed, nil, .none)
    case .preferred: return (policy.nodes.lowest ?? aim.local, aim.allowed, nil, .none)
    case .bind: return (home, named.isEmpty ? aim.allowed : named, nil, named)
    case .preferredMany:
      return named.isEmpty ? (home, aim.allowed, nil, .none) : (home, named, aim.allowed, named)
    case .interleave, .weightedInterleave:
      let node = aim.place.flatMap { turn($0 >> UInt64(order), policy) } ?? nextTurn(policy) ?? aim.local
      return (node, aim.allowed, nil, .none)
    }
  }

  /// The node of the page at `place` of an interleaved object.
  private func turn(_ place: UInt64, _ policy: MemoryPolicy) -> Int? {
    guard policy.mode == .weightedInterleave else { return policy.nodes.node(at: place) }
    let weights = numaCell.value.weights
    let total = policy.nodes.nodes.reduce(0) { $0 + weights[$1] }
    var rest = total == 0 ? 0 : place % total
    for node in policy.nodes.nodes {
      if rest < weights[node] { return node }
      rest -= weights[node]
    }
    return nil
  }

  /// The node whose turn it is for the task.
  private func nextTurn(_ policy: MemoryPolicy) -> Int? {
    guard let space = spaceCell.value[Int(numaCell.value.aim.space)] else { return policy.nodes.lowest }
    let last = space.layout.placement.lastNode
    if policy.mode == .weightedInterleave, space.layout.placement.weightLeft > 0, policy.nodes.contains(last)
    {
      space.layout.placement.weightLeft -= 1
      return last
    }
    guard let node = policy.nodes.next(after: last) else { return nil }
    space.layout.placement.lastNode = node
    space.layout.placement.weightLeft = numaCell.value.weights[node] - 1
    return node
  }
}
