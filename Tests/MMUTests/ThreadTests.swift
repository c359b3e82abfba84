// SPDX-License-Identifier: MIT
import EntryFormats
import MMU
import SimMemory
import Synchronization
import Testing

/// Tells another thread to stop.
private final class Flag: Sendable {
  let isSet = Atomic(false)
}

/// One thread changes entries while another walks.
@Suite struct ThreadTests {
  /// A published page is seen with its contents, and no accessed or dirty bit is ever lost.
  @Test func walksSeeWholeEntriesAndMarksAreKept() async throws {
    let fixture = try Fixture()
    let memory = fixture.memory
    let place = fixture.map(0x1000, to: 0)
    memory.storeRelease(0, at: place)
    let (rounds, firstFrame) = (3000 as UInt64, 4096 as UInt64)
    let done = Flag()
    async let stores: [UInt64: UInt64] = Task.detached {
      // The hardware: counts the stores that it was allowed, by page.
      let hardware = fixture.hardware()
      var found: [UInt64: UInt64] = [:]
      while !done.isSet.load(ordering: .acquiring) {
        let access: AccessKind = found.count % 2 == 0 ? .store : .load
        let walk = hardware.mmu.walker.walk(fixture.root, VirtualAddress(0x1000), access, isUser: true)
        guard let page = walk.translation?.page else { continue }
        let contents = memory.contents(at: page)
        found[page.raw, default: contents] |= access == .store ? 1 << 63 : 0
      }
      return found
    }.value
    let marks: [UInt64: UInt64] = await Task.detached {
      var marks: [UInt64: UInt64] = [:]
      for round in 0..<rounds {
        let page = (firstFrame + round) << 12
        memory.setContents(page | 1, at: PhysicalAddress(page))
        let old = memory.exchange(page | Fixture.readWrite, at: place)
        marks[old & X86Entry.addressMask] = old
        if round % 16 == 0 { await Task.yield() }
      }
      let last = memory.exchange(0, at: place)
      marks[last & X86Entry.addressMask] = last
      done.isSet.store(true, ordering: .releasing)
      return marks
    }.value
    for (page, seen) in await stores {
      let entry = try #require(marks[page])
      #expect(seen & ~(1 << 63) == page | 1, "contents written before the entry are visible after it")
      #expect(entry & X86Entry.accessed != 0)
      if seen >> 63 == 1 { #expect(entry & X86Entry.dirty != 0) }
    }
    #expect(UInt64(marks.count) == rounds + 1)
  }

  /// Two CPUs walk the same tables and mark the same entries.
  @Test func twoWalkersMarkTogether() async throws {
    let fixture = try Fixture()
    for page in 0..<256 as Range<UInt64> { fixture.map(page << 12, to: (page + 512) << 12) }
    func run(_ access: AccessKind) -> Task<Int, Never> {
      Task.detached {
        let hardware = fixture.hardware()
        var hits = 0
        for page in 0..<256 as Range<UInt64> {
          if hardware.mmu.physical(page << 12, access, fixture.root) == (page + 512) << 12 { hits += 1 }
        }
        return hits
      }
    }
    let tasks = [run(.load), run(.store)]
    for task in tasks { #expect(await task.value == 256) }
    for page in 0..<256 as Range<UInt64> {
      let raw = fixture.memory.loadRelaxed(fixture.entry(page << 12, level: 0))
      #expect(raw & (X86Entry.accessed | X86Entry.dirty) == X86Entry.accessed | X86Entry.dirty)
    }
  }
}
