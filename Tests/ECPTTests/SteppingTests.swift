// SPDX-License-Identifier: MIT
import ClusterTable
import ClusterTableSupport
import ECPT
import EMTCore
import EntryFormats
import MMU
import SimMemory
import Synchronization
import Testing
import X86Object

/// Numbers of clusters whose hash agrees in the low `bits` of every way.
func colliding(_ bits: UInt64, _ count: Int, seed: UInt64 = 5) -> [UInt64] {
  let mask: UInt64 = 1 << bits - 1
  let whole = (0..<3).reduce(UInt64(0)) { $0 | mask << UInt64(21 * $1) }
  let target = HashFunction.murmurFinaliser.hash(seed) & whole
  return Array(
    (0..<UInt64(1) << 32).lazy.filter { HashFunction.murmurFinaliser.hash($0) & whole == target }.prefix(
      count))
}

#if DEBUG
  @Suite struct SteppingTests {
    @Test func everyMappedPageIsFoundAtEveryStoreWhileTablesGrowAndShrink() throws {
      let rig = try Rig()
      let stepper = Stepper(rig)
      let pages = (0..<UInt64(100)).map { $0 * 8 &+ ($0 * 5) % 8 }
      try stepper.watch {
        for page in pages { try stepper.insert(page, page + 1000) }
        try stepper.removeAll(VirtualRange(VirtualAddress(30 << 15), VirtualAddress(100 << 15)))
        for page in pages.prefix(20) { try stepper.remove(page) }
        for page in 2000..<UInt64(2040) { try stepper.insert(page * 8, page) }
      }
      #expect(stepper.wrong == [])
      #expect(stepper.steps > 2_000)
      #expect(rig.machine.work[.clusterMove] > 30)
      #expect(Audit(rig.database).problems == [])
      try rig.end()
    }

    @Test func largePagesAreFoundAtEveryStore() throws {
      let rig = try Rig(bytes: 64 << 30)
      let stepper = Stepper(rig)
      try stepper.watch {
        for page in 0..<UInt64(30) { try stepper.insert(page * 8 + 3, page, .twoMiB) }
        for page in 0..<UInt64(20) { try stepper.insert(page * 9 + 100, page, .oneGiB) }
        for page in 0..<UInt64(28) { try stepper.remove(page * 8 + 3, .twoMiB) }
        for page in 0..<UInt64(18) { try stepper.remove(page * 9 + 100, .oneGiB) }
      }
      #expect(stepper.wrong == [])
      #expect(rig.machine.work[.clusterMove] > 5)
      #expect(Audit(rig.database).problems == [])
      try rig.end()
    }

    @Test func collidingPagesAreFoundAtEveryStore() throws {
      let rig = try Rig()
      let stepper = Stepper(rig)
      let numbers = colliding(5, 12)
      try stepper.watch {
        for number in numbers { try stepper.insert(number * 8 + 3, number % 999) }
        for number in numbers.dropLast(2) { try stepper.remove(number * 8 + 3) }
      }
      #expect(stepper.wrong == [])
      #expect(rig.machine.work[.clusterMove] > 5)
      try rig.end()
    }

    @Test func aBitThatTheHardwareSetsAtAnyMomentIsKept() throws {
      for moment in stride(from: 0, to: 500, by: 3) {
        let rig = try Rig()
        for page in 0..<UInt64(13) { try rig.insert(Rig.page(page * 8, page)) }
        let isSet = try rig.storing(to: (0..<13).map { $0 * 8 }, at: moment) {
          for page in 13..<UInt64(24) { try rig.insert(Rig.page(page * 8, page)) }
        }
        #expect(rig.machine.work[.clusterMove] > 3)
        guard isSet else { continue }
        let clean = (0..<UInt64(13)).filter { !rig.database.find(VirtualAddress($0 << 15)).isDirty }
        #expect(clean == [], "store \(moment)")
        try rig.end()
      }
    }

    /// The self-reference paradox: the kernel's tables translate the very pages that they are in.
    @Test(arguments: [false, true]) func theKernelsTablesStayTranslatableWhileTheyMove(isIsolated: Bool)
      throws
    {
      let rig = try Rig(bytes: 4 << 20, options: isIsolated ? ["kpti": "on"] : [:])
      let kernel = rig.service.kernelDatabase
      let base: UInt64 = 0xFFFF_8880_0000_0000
      let mapped = Mutex<Set<UInt64>>([])
      let wrong = Mutex([UInt64]())
      let steps = Mutex(0)
      let log = AccessLog { [rig] access in
        guard access.kind == .store, access.agent == .software else { return }
        steps.withLock { $0 += 1 }
        let frames = mapped.withLock { $0 }
        let needed = [access.address.raw >> 12, kernel.block.raw >> 12, 7].filter { frames.contains($0) }
        for frame in needed {
          let walk = rig.walker.walk(rig.root, VirtualAddress(base + frame << 12), .store, isUser: false)
          if walk.translation?.page.raw != frame << 12 { wrong.withLock { $0.append(frame) } }
        }
      }
      rig.machine.memory.attach(log: log)
      // The direct map, scattered so that it needs a cluster for each page; frame 7 is the code that moves entries.
      for frame in (0..<UInt64(1024)).map({ $0 * 365 % 1024 }) {
        var object = X86Object(VirtualAddress(base + frame << 12), .base, entry: X86Entry(X86Entry.present))
        object.isWritable = true
        if frame != 0 { object.frame = FrameNumber(frame) }
        kernel.settle(try kernel.update(object).takeObligation())
        mapped.withLock { _ = $0.insert(frame) }
      }
      rig.machine.memory.attach(log: nil)
      #expect(wrong.withLock { $0 } == [])
      #expect(steps.withLock { $0 } > 3000)
      #expect(rig.machine.work[.clusterMove] > 50)
      let user = rig.walker.walk(rig.root, VirtualAddress(base + 7 << 12), .load, isUser: true)
      #expect(user.fault == (isIsolated ? .notMapped : .notUser))
      #expect(!isIsolated || user.references == 0)
      try rig.end()
    }
  }
#endif
