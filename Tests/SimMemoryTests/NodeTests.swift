// SPDX-License-Identifier: MIT
import SimMemory
import Testing

/// Which node stands in for which, and who holds how much where.
struct NodeTests {
  private func memory() throws -> SimulatedMemory {
    try SimulatedMemory(MemoryGeometry(bytes: 8 << 20, nodes: 4))
  }

  @Test func nearNodesStandInFirst() throws {
    let memory = try memory()
    let frames = memory.allocator
    let before = frames.freeFrames
    #expect((0..<4).map { frames.fallback(of: 2, step: $0) } == [2, 3, 0, 1], "equally near ones in turn")
    let distances = [[10, 30, 20, 40], [20, 10, 20, 20], [40, 20, 10, 30], [20, 20, 20, 10]]
    frames.setFallback { distances[$0][$1] }
    #expect((0..<4).map { frames.fallback(of: 0, step: $0) } == [0, 2, 1, 3])
    #expect((0..<4).map { frames.fallback(of: 2, step: $0) } == [2, 1, 3, 0])
    var held: [FrameNumber] = []
    while frames.freeFrames(node: 0) > 0, let frame = frames.allocate(node: 0) { held.append(frame) }
    let next = try #require(frames.allocate(node: 0))
    #expect(frames.node(of: next) == 2)
    let other = try #require(frames.allocate(order: 3, node: 0, within: 0b1010))
    #expect(frames.node(of: other) == 1)
    #expect(frames.allocate(order: 0, node: 3, within: 0b0001) == nil, "no other node may stand in")
    frames.free(next)
    frames.free(other, order: 3)
    for frame in held { frames.free(frame) }
    #expect(frames.freeFrames == before)
  }

  @Test func talliesAreExact() throws {
    let memory = try memory()
    let tally = NodeTally(nodes: 4)
    let frames = memory.allocator
    let counting = frames.counting(with: tally)
    let single = try #require(counting.allocate(node: 1))
    let block = try #require(counting.allocate(order: 4, node: 3))
    let uncounted = try #require(frames.allocate(node: 1))
    #expect((0..<4).map { tally.frames(onNode: $0) } == [0, 1, 0, 16])
    counting.free(block, order: 4)
    #expect((0..<4).map { tally.frames(onNode: $0) } == [0, 1, 0, 0])
    #expect(tally.taken == 17, "how many were ever taken")
    frames.injectFailure(after: 0)
    #expect(counting.allocate(order: 0, node: 0, within: 1) == nil)
    frames.stopInjectingFailures()
    #expect(tally.frames(onNode: 0) == 0)
    counting.free(single)
    frames.free(uncounted)
    #expect(tally.frames(onNode: 1) == 0)
    tally.release()
  }
}
