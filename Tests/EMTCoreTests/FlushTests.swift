// SPDX-License-Identifier: MIT
import EMTCore
import Reference
import SimMemory
import Testing

/// Flush duties: what they cover, what happens when they are dropped, and who gets the requests.
struct FlushTests {
  private func range(_ first: UInt64, _ pages: UInt64) -> VirtualRange {
    VirtualRange(VirtualAddress(first << 12), bytes: pages << 12)
  }

  @Test func aSpanCoversEverythingThatWasAdded() {
    var span = FlushSpan()
    span.add(page: VirtualAddress(0x8000), .base)
    span.add(range(2, 1), stride: .base)
    span.add(VirtualRange(VirtualAddress(0x20_0000), bytes: 2 << 20), stride: .twoMiB)
    let owed = span.obligation()
    let (isOwed, range, stride) = (owed.isOwed, owed.range, owed.stride)
    owed.discharge()
    #expect(isOwed)
    #expect(range == VirtualRange(VirtualAddress(0x2000), VirtualAddress(0x40_0000)))
    #expect(stride == .base)
  }

  @Test func nothingAddedOwesNothing() {
    let owed = FlushSpan().obligation()
    let isOwed = owed.isOwed
    owed.discharge()
    #expect(!isOwed)
  }

  @Test func droppingAnOwedFlushTraps() async {
    await #expect(processExitsWith: .failure) {
      _ = FlushObligation(owing: VirtualRange(VirtualAddress(0), bytes: 4096), stride: .base)
    }
  }

  @Test func droppingAFlushThatIsNotOwedIsFine() async {
    await #expect(processExitsWith: .success) { _ = FlushObligation.none }
  }

  @Test func aMailboxKeepsOrderAndThenForgetsEverything() throws {
    let platform = try SimulatedPlatform(MemoryGeometry(bytes: 4 << 20))
    let mailbox = platform.platform.cpu(0).mailbox
    #expect(mailbox.isEmpty)
    let requests = (0..<32).map { Invalidation(scope: .space(AddressSpaceID(1)), range: range($0, 1)) }
    for request in requests { mailbox.post(request) }
    var seen: [Invalidation] = []
    mailbox.drain { seen.append($0) }
    #expect(seen == requests)
    #expect(mailbox.isEmpty)
    for request in requests + requests.prefix(1) { mailbox.post(request) }
    seen = []
    mailbox.drain { seen.append($0) }
    #expect(seen == [Invalidation(scope: .everyone, range: nil)])
  }

  @Test func batchesBelongToTheSpaceThatOpenedThem() throws {
    let platform = try SimulatedPlatform(MemoryGeometry(bytes: 4 << 20))
    let cpu = platform.platform.cpu(0)
    let (one, two) = (AddressSpaceID(1), AddressSpaceID(2))
    #expect(cpu.openBatch(one))
    #expect(cpu.isBatching(one))
    #expect(!cpu.isBatching(two))
    cpu.collect(range(1, 1), stride: .base)
    cpu.collect(range(9, 1), stride: .base)
    let (covered, stride) = cpu.closeBatch()
    #expect(covered == range(1, 9))
    #expect(stride == .base)
    #expect(!cpu.isBatching(one))
  }
}
