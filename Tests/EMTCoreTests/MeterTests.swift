// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing

/// The kernel-work meter: counts land where the operation and the phase say.
struct MeterTests {
  @Test func eventsGoToTheCurrentOperationAndPhase() {
    let ledger = KernelWorkLedger()
    let meter = ledger.meter
    meter.count(.lookup)
    let fault = meter.enter(.pageFault)
    meter.count(.faultEntry)
    let supply = meter.enter(.pageSupply)
    meter.count(.frameAllocated, 3)
    meter.leave(supply)
    meter.count(.entryWrite, 2)
    meter.leave(fault)
    meter.count(.lookup)
    let work = ledger.work
    #expect(work[.other, .policy, .lookup] == 2)
    #expect(work[.pageFault, .policy, .faultEntry] == 1)
    #expect(work[.pageFault, .pageSupply, .frameAllocated] == 3)
    #expect(work[.pageFault, .policy, .entryWrite] == 2)
    #expect(work[.pageFault, .entryWrite] == 2)
    #expect(work[.systemCall, .lookup] == 0)
    #expect(work[.lookup] == 2)
  }

  @Test func snapshotsSubtractAndAdd() {
    let ledger = KernelWorkLedger()
    ledger.meter.count(.lock, 5)
    let before = ledger.work
    ledger.meter.count(.lock, 7)
    #expect((ledger.work - before)[.lock] == 7)
    #expect((ledger.work + before)[.lock] == 17)
  }

  @Test func theObserverIsNotCharged() throws {
    let platform = try SimulatedPlatform(MemoryGeometry(bytes: 4 << 20), cpus: 2)
    platform.platform.observer.meter.count(.lookup, 9)
    platform.platform.cpu(1).meter.count(.lookup, 1)
    #expect(platform.work[.lookup] == 1)
  }

  @Test func everyKindOfEventHasARowOfItsOwn() {
    #expect(KernelEvent.allCases.count == KernelEvent.count)
    let ledger = KernelWorkLedger()
    for (index, event) in KernelEvent.allCases.enumerated() { ledger.meter.count(event, UInt64(index + 1)) }
    let work = ledger.work
    for (index, event) in KernelEvent.allCases.enumerated() { #expect(work[event] == UInt64(index + 1)) }
  }

  @Test func pageSizesKnowTheNextSmallerOne() {
    let sizes = PageSizes(.twoMiB, .oneGiB)
    #expect(sizes.all == [.base, .twoMiB, .oneGiB])
    #expect(sizes.largest == .oneGiB)
    #expect(sizes.smaller(than: .oneGiB) == .twoMiB)
    #expect(sizes.smaller(than: .twoMiB) == .base)
    #expect(sizes.smaller(than: .base) == nil)
    #expect(!sizes.contains(PageSize(shift: 16)))
  }

  @Test func swapEntriesSurvivePacking() {
    for area: UInt8 in [0, 1, 30] {
      for offset: UInt64 in [0, 1, (1 << 43) - 1] {
        let entry = SwapEntry(area: area, offset: offset)
        #expect(entry.packed != 0)
        #expect(SwapEntry(packed: entry.packed) == entry)
      }
    }
    #expect(SwapEntry(packed: 0) == nil)
  }
}
