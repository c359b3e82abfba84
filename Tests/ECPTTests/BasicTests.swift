// SPDX-License-Identifier: MIT
import ClusterTable
import ClusterTableSupport
import ECPT
import EMTCore
import MMU
import SimMemory
import Testing

@Suite struct BasicTests {
  @Test func anEmptyProcessOwnsOneBlock() throws {
    let rig = try Rig()
    #expect(rig.database.footprint == TableFootprint(ways: 8192))
    let object = rig.database.find(VirtualAddress(0x1234_5000))
    #expect(!object.isMapped)
    #expect(object.span == VirtualRange(VirtualAddress(0), VirtualAddress(1 << 47)))
    try rig.end()
  }

  @Test func aVoidIsReportedAsWideAsItIsKnown() throws {
    let rig = try Rig()
    try rig.insert(Rig.page(8, 1))
    #expect(rig.database.find(VirtualAddress(9 << 12)).span.bytes == 4096)
    #expect(rig.database.find(VirtualAddress(0)).span == VirtualRange(VirtualAddress(0), bytes: 32768))
    try rig.remove(Rig.page(8, 1))
    #expect(rig.database.find(VirtualAddress(9 << 12)).size == .oneGiB)
    #expect(rig.database.find(VirtualAddress(3 << 30)).size.shift == 31)
    try rig.insert(Rig.page(1, 1, .twoMiB))
    #expect(rig.database.find(VirtualAddress(0)).size == .twoMiB)
    #expect(rig.database.find(VirtualAddress(64 << 20)).size == .twoMiB)
    try rig.end()
  }

  @Test func whatWasInsertedIsFoundByDriverAndHardware() throws {
    try Rig.whatWasInsertedIsFoundByDriverAndHardware()
  }
  @Test func replacingReturnsTheOldObjectAndOwesAFlush() throws {
    try Rig.replacingReturnsTheOldObjectAndOwesAFlush()
  }
  @Test func sizesThatOverlapAreRefusedBothWays() throws { try Rig.sizesThatOverlapAreRefusedBothWays() }
  @Test func badObjectsAreRefused() throws { try Rig.badObjectsAreRefused() }
  @Test func aCollapseWithoutMemoryChangesNothing() throws {
    try Rig.aCollapseWithoutMemoryChangesNothing(where: 0..<4)
  }
  @Test func kernelPagesAreSeenThroughEveryProcess() throws {
    try Rig.kernelPagesAreSeenThroughEveryProcess()
  }
  @Test func switchingChangesWhatTheHardwareWalks() throws { try Rig.switchingChangesWhatTheHardwareWalks() }
  @Test func theWalkerSetsAccessedAndDirtyOnlyWhenAllowed() throws {
    try Rig.theWalkerSetsAccessedAndDirtyOnlyWhenAllowed()
  }
  @Test func everyFrameComesBackInTheEnd() throws { try Rig.everyFrameComesBackInTheEnd() }
  @Test func optionsAreRefused() throws { try Rig.optionsAreRefused() }
}
