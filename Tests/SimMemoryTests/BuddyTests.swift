// SPDX-License-Identifier: MIT
import SimMemory
import Testing

/// The frame allocator: alignment, splitting and merging, nodes, exhaustion, injected failures.
struct BuddyTests {
  private func memory(_ mebibytes: UInt64, nodes: Int = 1) throws -> SimulatedMemory {
    try SimulatedMemory(MemoryGeometry(bytes: mebibytes << 20, nodes: nodes))
  }

  @Test func allFramesButTheFirstAreFree() throws {
    let owner = try memory(8)
    #expect(owner.allocator.freeFrames == 2047)
  }

  @Test(arguments: 0...9) func blocksAreAlignedAndComeBack(_ order: Int) throws {
    let owner = try memory(8)
    let frames = owner.allocator
    let free = frames.freeFrames
    let block = try #require(frames.allocate(order: order))
    #expect(block.raw % (1 << UInt64(order)) == 0)
    #expect(block.raw != 0)
    #expect(frames.freeFrames == free - 1 << UInt64(order))
    frames.free(block, order: order)
    #expect(frames.freeFrames == free)
  }

  @Test func everyFrameIsHandedOutOnceAndMergesBack() throws {
    let owner = try memory(4)
    let frames = owner.allocator
    var taken: Set<UInt64> = []
    while let frame = frames.allocate() { #expect(taken.insert(frame.raw).inserted) }
    #expect(taken.count == 1023)
    #expect(frames.freeFrames == 0)
    #expect(frames.allocate(order: 3) == nil)
    for frame in taken { frames.free(FrameNumber(frame)) }
    #expect(frames.freeFrames == 1023)
    #expect(frames.allocate(order: 9) != nil)
  }

  @Test func aLargeBlockIsFoundAmongCachedSingles() throws {
    let owner = try memory(2)
    let frames = owner.allocator
    var singles: [FrameNumber] = []
    while let frame = frames.allocate() { singles.append(frame) }
    for frame in singles { frames.free(frame) }
    #expect(frames.allocate(order: 8) != nil)
  }

  @Test func randomTrafficLosesNothing() throws {
    let owner = try memory(16, nodes: 2)
    let frames = owner.allocator
    let free = frames.freeFrames
    var held: [(FrameNumber, Int)] = []
    var random = Seeded(state: 7)
    for _ in 0..<20_000 {
      if random.next() % 2 == 0, !held.isEmpty {
        let (frame, order) = held.remove(at: Int(random.next() % UInt64(held.count)))
        frames.free(frame, order: order)
      } else {
        let order = Int(random.next() % 6)
        if let block = frames.allocate(order: order, node: Int(random.next() % 2)) {
          held.append((block, order))
        }
      }
    }
    let heldFrames = held.reduce(UInt64(0)) { $0 + 1 << UInt64($1.1) }
    #expect(frames.freeFrames == free - heldFrames)
    for (frame, order) in held { frames.free(frame, order: order) }
    #expect(frames.freeFrames == free)
  }

  @Test func nodesOwnTheirFramesAndHelpOut() throws {
    let owner = try memory(8, nodes: 2)
    let frames = owner.allocator
    let own = try #require(frames.allocate(node: 1))
    #expect(frames.node(of: own) == 1)
    var last = own
    for _ in 0..<1100 { last = try #require(frames.allocate(node: 1)) }
    #expect(frames.node(of: last) == 0)
  }

  @Test func injectedFailuresComeWhereTheyWereAskedFor() throws {
    let owner = try memory(4)
    let frames = owner.allocator
    frames.injectFailure(after: 2)
    #expect(frames.allocate() != nil)
    #expect(frames.allocate(order: 2) != nil)
    #expect(frames.allocate() == nil)
    #expect(frames.allocate() != nil)
    #expect(frames.stopInjectingFailures() == 4)
    frames.injectFailure(after: 0, staysBroken: true)
    #expect(frames.allocate() == nil)
    #expect(frames.allocate() == nil)
    frames.stopInjectingFailures()
    #expect(frames.allocate() != nil)
  }

  @Test func onlyUsedFramesAreCleared() throws {
    let owner = try memory(4)
    let frames = owner.allocator
    var didClear = true
    let fresh = try #require(frames.allocateZeroed(didClear: &didClear))
    #expect(!didClear)
    owner.memory.setByte(7, at: fresh.address)
    frames.free(fresh)
    let again = try #require(frames.allocateZeroed(didClear: &didClear))
    #expect(again == fresh)
    #expect(didClear)
    #expect(owner.memory.byte(at: again.address) == 0)
  }

  @Test func whoeverTookBackWhatHeWroteSparesTheNextOneTheClearing() throws {
    let owner = try memory(4)
    let frames = owner.allocator
    var didClear = true
    let frame = try #require(frames.allocateZeroed(didClear: &didClear))
    owner.memory.setByte(7, at: frame.address)
    #expect(!owner.memory.isZero(frame.address, bytes: 4096))
    owner.memory.setByte(0, at: frame.address)
    #expect(owner.memory.isZero(frame.address, bytes: 4096))
    frames.markClear(frame)
    frames.free(frame)
    let again = try #require(frames.allocateZeroed(didClear: &didClear))
    #expect(again == frame && !didClear)
    // A holder that says nothing leaves the clearing to the next one.
    frames.free(again)
    #expect(try #require(frames.allocateZeroed(didClear: &didClear)) == frame && didClear)
  }

  @Test func misuseTraps() async {
    await #expect(processExitsWith: .failure) {
      let owner = try SimulatedMemory(MemoryGeometry(bytes: 4 << 20))
      guard let frame = owner.allocator.allocate() else { return }
      owner.allocator.free(frame)
      owner.allocator.free(frame)
    }
    await #expect(processExitsWith: .failure) {
      let owner = try SimulatedMemory(MemoryGeometry(bytes: 4 << 20))
      guard let frame = owner.allocator.allocate() else { return }
      owner.allocator.table.retain(frame)
      owner.allocator.free(frame)
    }
  }
}

/// A small generator, so that failures repeat.
struct Seeded {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
