// SPDX-License-Identifier: MIT
import SimMemory
import Testing

/// The arena: words, contents, sizes, the access log.
struct MemoryTests {
  @Test(arguments: [0, 4096, (4 << 40) + (2 << 20)] as [UInt64]) func badSizesAreRefused(_ bytes: UInt64) {
    #expect(throws: ArenaError.badSize(bytes: bytes)) {
      try SimulatedMemory(MemoryGeometry(bytes: bytes))
    }
  }

  @Test func tooManyNodesAreRefused() {
    #expect(throws: ArenaError.badNodeCount(3)) {
      try SimulatedMemory(MemoryGeometry(bytes: 4 << 20, nodes: 3))
    }
  }

  @Test func fourTebibytesCostNothingUntilTouched() throws {
    let owner = try SimulatedMemory(MemoryGeometry(bytes: 4 << 40))
    #expect(owner.memory.frameCount == 1 << 30)
    let last = PhysicalAddress((4 << 40) - 8)
    owner.memory.storeRelease(42, at: last)
    #expect(owner.memory.loadAcquire(last) == 42)
    #expect(owner.allocator.allocate(order: 20) != nil)
  }

  @Test func wordsChangeInOneStep() throws {
    let owner = try SimulatedMemory(MemoryGeometry(bytes: 2 << 20))
    let (memory, place) = (owner.memory, PhysicalAddress(4096))
    #expect(memory.exchange(5, at: place) == 0)
    #expect(memory.compareExchange(4, 9, at: place) == 5)
    #expect(memory.loadRelaxed(place) == 5)
    #expect(memory.compareExchange(5, 9, at: place) == 5)
    #expect(memory.fetchOr(6, at: place) == 9)
    #expect(memory.fetchAnd(3, at: place) == 15)
    #expect(memory.loadRelaxed(place) == 3)
  }

  @Test func contentsAreCopiedClearedAndDigested() throws {
    let owner = try SimulatedMemory(MemoryGeometry(bytes: 2 << 20))
    let (memory, a, b) = (owner.memory, PhysicalAddress(4096), PhysicalAddress(8192))
    memory.setContents(0x1122_3344_5566_7788, at: a.advanced(by: 3))
    #expect(memory.digest(of: a, bytes: 4096) != memory.digest(of: b, bytes: 4096))
    memory.copy(from: a, to: b, bytes: 4096)
    #expect(memory.contents(at: b.advanced(by: 3)) == 0x1122_3344_5566_7788)
    #expect(memory.digest(of: a, bytes: 4096) == memory.digest(of: b, bytes: 4096))
    memory.zero(a, bytes: 4096)
    #expect(memory.byte(at: a.advanced(by: 3)) == 0)
    memory.discard(b, bytes: 4096)
    #expect(memory.byte(at: b.advanced(by: 3)) == 0)
  }

  @Test func aBlockIsClearedOnceAndOnlyWhereItWasUsed() throws {
    let owner = try SimulatedMemory(MemoryGeometry(bytes: 8 << 20))
    let (memory, frames) = (owner.memory, owner.allocator)
    let block = try #require(frames.allocate(order: 9))
    #expect(!frames.clearBlock(block, frames: 512), "memory is born zero")
    for step in [0, 7, 511] as [UInt64] { memory.setContents(~0, at: block.advanced(by: step).address) }
    frames.free(block, order: 9)
    let again = try #require(frames.allocate(order: 9))
    let before = frames.clearedFrames
    #expect(frames.clearBlock(again, frames: 512))
    #expect(memory.isZero(again.address, bytes: 2 << 20))
    #expect(frames.clearedFrames - before == 512, "all were handed out, so all may have been written to")
    #expect(!frames.isClear(again, frames: 512), "the holder may write to them from now on")
  }

  @Test func theLogSeesWhoDidWhat() throws {
    let owner = try SimulatedMemory(MemoryGeometry(bytes: 2 << 20))
    let log = AccessLog()
    owner.attach(log: log)
    let place = PhysicalAddress(4096)
    owner.memory.storeRelease(7, at: place)
    _ = owner.memory.used(by: .hardware).loadAcquire(place)
    owner.attach(log: nil)
    _ = owner.memory.loadRelaxed(place)
    #if DEBUG
      #expect(
        log.accesses == [
          MemoryAccess(.software, .store, place, 7), MemoryAccess(.hardware, .load, place, 7),
        ])
    #else
      #expect(log.accesses.isEmpty)
    #endif
  }

  @Test func rangesBehaveAtTheirEdges() {
    let range = VirtualRange(VirtualAddress(0x1000), VirtualAddress(0x3000))
    #expect(range.contains(VirtualAddress(0x1000)))
    #expect(!range.contains(VirtualAddress(0x3000)))
    #expect(range.pages == 2)
    #expect(!range.overlaps(VirtualRange(VirtualAddress(0x3000), VirtualAddress(0x4000))))
    #expect(range.intersection(VirtualRange(VirtualAddress(0x4000), VirtualAddress(0x5000))).isEmpty)
    #expect(VirtualRange(page: VirtualAddress(0x20_1234), .twoMiB).start == VirtualAddress(0x20_0000))
    #expect(PageSize.twoMiB.description == "2 MiB")
    #expect(VirtualAddress(0xabc).description == "0xabc")
  }
}
