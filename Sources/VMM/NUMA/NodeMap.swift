// SPDX-License-Identifier: MIT

/// Which nodes a machine has, how far they are from each other, and which CPU belongs to which node.
public struct NodeMap: Sendable, Equatable {
  /// How many nodes there are.
  public let count: Int
  /// Distances, row by row: 10 for a node itself.
  private var distances: [UInt8]
  /// The node of each CPU.
  private var nodesOfCPUs: [Int]

  /// `count` nodes, 20 from each other, that share out `cpus` CPUs in order of numbers.
  public init(nodes count: Int, cpus: Int) {
    self.count = count
    distances = (0..<count * count).map { $0 / count == $0 % count ? 10 : 20 }
    // Fewer CPUs than nodes: one each, and nodes without CPUs behind them.
    nodesOfCPUs = (0..<cpus).map { cpus > count ? $0 * count / cpus : $0 }
  }

  /// How far memory of the second node is for a CPU of the first; 10 is local (ACPI: SLIT).
  public subscript(from: Int, to: Int) -> Int {
    get { Int(distances[from * count + to]) }
    set { distances[from * count + to] = UInt8(clamping: newValue) }
  }

  /// The node of a CPU.
  public func node(ofCPU cpu: Int) -> Int { cpu < nodesOfCPUs.count ? nodesOfCPUs[cpu] : 0 }

  /// Makes a CPU belong to another node.
  public mutating func setNode(_ node: Int, ofCPU cpu: Int) { nodesOfCPUs[cpu] = node }

  /// All nodes.
  public var all: NodeSet { .first(count) }

  /// The node of `nodes` that is nearest to `node`; the lowest of equally near ones.
  func nearest(to node: Int, among nodes: NodeSet) -> Int? {
    nodes.nodes.filter { $0 < count }.min { (self[node, $0], $0) < (self[node, $1], $1) }
  }
}
