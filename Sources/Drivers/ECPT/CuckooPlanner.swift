// SPDX-License-Identifier: MIT
internal import EntryFormats
internal import SimMemory

/// Finds a shortest chain of moves that frees a slot for a new cluster: breadth first, and without touching anything.
///
/// A cluster at the end of the chain moves to a free slot, the one before it into the slot that is free then, and
/// so on: every move copies into a free slot, so nothing is ever without a place. At most four moves.
struct CuckooPlanner: ~Copyable {
  /// An occupied slot that was reached, and from which one.
  struct Node {
    var slot = PhysicalAddress(0)
    var parent: Int16 = -1
    var way: Int8 = 0
    var depth: Int8 = 0
  }
  /// Moves in the longest chain.
  static var longest: Int8 { 4 }

  private(set) var nodes = InlineArray<128, Node>(repeating: Node())
  private var count = 0
  /// The free slot at the end of the chain.
  private(set) var free = PhysicalAddress(0)
  /// The node whose cluster moves there; -1: none has to move.
  private(set) var last = -1

  /// Searches for `number`, looking at no more than `limit` occupied slots.
  /// - Parameters:
  ///   - place: the slot of a cluster in a way, nil if the way is not to be used.
  ///   - occupant: the number of the cluster in a slot, nil if the slot is free.
  /// - Returns: whether there is a chain.
  mutating func search(
    _ number: UInt64, limit: Int, place: (UInt64, Int) -> PhysicalAddress?,
    occupant: (PhysicalAddress) -> UInt64?
  ) -> Bool {
    var (number, node, index) = (number, Node(way: -1), -1)
    while true {
      for way in 0..<ECPTFormat.ways where way != Int(node.way) {
        guard let slot = place(number, way) else { continue }
        guard occupant(slot) != nil else {
          (free, last) = (slot, index)
          return true
        }
        if node.depth < CuckooPlanner.longest, count < min(limit, nodes.count) {
          nodes[count] = Node(slot: slot, parent: Int16(index), way: Int8(way), depth: node.depth + 1)
          count += 1
        }
      }
      index += 1
      guard index < count else { return false }
      node = nodes[index]
      guard let next = occupant(node.slot) else { return false }
      number = next
    }
  }
}
