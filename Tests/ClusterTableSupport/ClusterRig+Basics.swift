// SPDX-License-Identifier: MIT
internal import ClusterTable
internal import EMTCore
internal import EntryFormats
internal import MMU
internal import SimMemory
internal import Testing
internal import X86Object

// What every cluster table does, function by function of the contract.
extension ClusterRig {
  /// 4 KiB, 2 MiB and 1 GiB.
  public static func whatWasInsertedIsFoundByDriverAndHardware() throws {
    let rig = try ClusterRig()
    for (step, size) in [PageSize.base, .twoMiB, .oneGiB].enumerated() {
      let object = ClusterRig.page(UInt64(step) + 7, 0, size)
      try rig.insert(object)
      let found = rig.database.find(object.start.advanced(by: size.bytes - 1))
      #expect(found.isPresent && found.span == object.span && found.entry == object.entry)
      let result = rig.walker.probe(rig.root, object.start.advanced(by: 4095), .load, isUser: true)
      #expect(result.translation?.size == size)
      #expect(result.translation?.physical(object.start.advanced(by: 4095)).raw == 4095)
    }
    #expect(rig.frame(6) == nil)
    try rig.end()
  }

  /// `update` returns what was there.
  public static func replacingReturnsTheOldObjectAndOwesAFlush() throws {
    let rig = try ClusterRig()
    try rig.insert(ClusterRig.page(5, 50))
    let change = try rig.database.update(ClusterRig.page(5, 51))
    #expect(change.old.frame.raw == 50)
    let isOwed = change.isFlushOwed
    #expect(isOwed)
    rig.database.settle(change.takeObligation())
    #expect(rig.frame(5) == 51)
    let first = try rig.database.update(ClusterRig.page(6, 60))
    let (old, isOwedNow) = (first.old, first.isFlushOwed)
    #expect(!old.isMapped && !isOwedNow)
    rig.database.settle(first.takeObligation())
    try rig.end()
  }

  /// `update` and `remove` name what is in the way.
  public static func sizesThatOverlapAreRefusedBothWays() throws {
    let rig = try ClusterRig()
    try rig.insert(ClusterRig.page(512 + 100, 1))
    try rig.insert(ClusterRig.page(5, 2, .twoMiB))
    try rig.insert(ClusterRig.page(3, 0, .oneGiB))
    let conflict = TranslationError.sizeConflict(existing: VirtualAddress((512 + 100) << 12), size: .base)
    #expect(throws: conflict) { try rig.insert(ClusterRig.page(1, 3, .twoMiB)) }
    #expect(throws: conflict) { try rig.insert(ClusterRig.page(0, 0, .oneGiB)) }
    #expect(throws: conflict) { try rig.remove(ClusterRig.page(1, 3, .twoMiB)) }
    let huge = TranslationError.sizeConflict(existing: VirtualAddress(10 << 20), size: .twoMiB)
    #expect(throws: huge) { try rig.insert(ClusterRig.page(5 * 512 + 17, 3)) }
    #expect(throws: huge) { try rig.remove(ClusterRig.page(5 * 512 + 17, 3)) }
    let giant = TranslationError.sizeConflict(existing: VirtualAddress(3 << 30), size: .oneGiB)
    #expect(throws: giant) { try rig.insert(ClusterRig.page(3 * 512 + 5, 3, .twoMiB)) }
    #expect(rig.frame(512 + 100) == 1)
    #expect(rig.frame(5 * 512) == 1024)
    try rig.end()
  }

  /// Wrong sizes, wrong halves, unmapped objects.
  public static func badObjectsAreRefused() throws {
    let rig = try ClusterRig()
    let odd = X86Object(VirtualAddress(0), PageSize(shift: 16), entry: X86Entry(X86Entry.present))
    #expect(throws: TranslationError.unsupportedSize(PageSize(shift: 16))) { try rig.insert(odd) }
    let upper = X86Object(VirtualAddress(0xFFFF_8000_0000_0000), .base, entry: X86Entry(X86Entry.present))
    #expect(throws: TranslationError.badAddress(upper.start)) { try rig.insert(upper) }
    #expect(throws: TranslationError.notMapped) {
      try rig.insert(X86Object(unmappedAt: VirtualAddress(0), size: .base))
    }
    #expect(throws: TranslationError.notMapped) { try rig.remove(ClusterRig.page(3, 3)) }
    #expect(!rig.database.find(upper.start).isMapped)
    try rig.end()
  }

  /// A collapse that fails puts back what it took out although there is no memory.
  public static func aCollapseWithoutMemoryChangesNothing(where failures: Range<Int>) throws {
    let rig = try ClusterRig()
    for page in 0..<UInt64(512) { try rig.insert(ClusterRig.page(page, page)) }
    let huge = ClusterRig.page(0, 0, .twoMiB)
    let frames = rig.machine.platform.frames
    for nth in failures {
      frames.injectFailure(after: nth, staysBroken: true)
      var copied = 0
      #expect(throws: TranslationError.refusedByCaller) {
        try rig.database.collapse(into: huge) { _ in
          copied += 1
          return copied < 500
        }
      }
      frames.stopInjectingFailures()
      for page in 0..<UInt64(512) { #expect(rig.frame(page) == page) }
    }
    try rig.end()
  }

  /// The kernel's half is everybody's.
  public static func kernelPagesAreSeenThroughEveryProcess() throws {
    let rig = try ClusterRig()
    let address = VirtualAddress(0xFFFF_8000_0012_3000)
    var object = X86Object(address, .base, entry: X86Entry(X86Entry.present))
    object.frame = FrameNumber(77)
    let kernel = rig.service.kernelDatabase
    kernel.settle(try kernel.update(object).takeObligation())
    let result = rig.walker.walk(rig.root, address, .load, isUser: false)
    #expect(result.translation?.page == PhysicalAddress(77 << 12))
    #expect(rig.walker.walk(rig.root, address, .load, isUser: true).fault == .notUser)
    #expect(kernel.find(address).isAccessed)
    #expect(throws: TranslationError.badAddress(VirtualAddress(0x1000))) {
      kernel.settle(try kernel.update(ClusterRig.page(1, 1)).takeObligation())
    }
    try rig.end()
  }
}
