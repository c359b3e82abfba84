// SPDX-License-Identifier: MIT
import ClusterTable
import ECPT
import EMTCore
import EntryFormats
import MMU
import SimMemory
import Synchronization
import Testing
import X86Object

/// Walks every page after every single store of the driver.
final class Stepper: Sendable {
  struct State {
    var mapped: [UInt64: UInt64] = [:]
    var inFlight: UInt64?
    var steps = 0
    var wrong: [String] = []
  }
  let state = Mutex(State())
  let rig: Rig

  init(_ rig: Rig) { self.rig = rig }

  func check() {
    state.withLock { state in
      state.steps += 1
      for (page, frame) in state.mapped where page != state.inFlight {
        let address = VirtualAddress(page << 12)
        // With walk caches and bits, as the hardware does it, and without.
        let found = rig.walker.walk(rig.root, address, .load, isUser: true).translation?.physical(address)
        let probed = rig.frame(page)
        if found?.raw != frame << 12 || probed != frame, state.wrong.count < 3 {
          state.wrong.append("page \(page) at frame \(frame) was found at \(probed ?? 0)")
        }
      }
    }
  }

  /// Runs `body` while a store to any table word is followed by `check`.
  func watch(_ body: () throws -> Void) rethrows {
    let log = AccessLog { [self] access in
      if access.kind == .store, access.agent == .software { check() }
    }
    rig.machine.memory.attach(log: log)
    defer { rig.machine.memory.attach(log: nil) }
    try body()
  }

  func insert(_ page: UInt64, _ frame: UInt64, _ size: PageSize = .base) throws {
    let first = page << UInt64(size.shift - 12)
    state.withLock { $0.inFlight = first }
    try rig.insert(Rig.page(page, frame, size))
    state.withLock {
      $0.mapped[first] = frame << UInt64(size.shift - 12)
      $0.inFlight = nil
    }
  }

  func remove(_ page: UInt64, _ size: PageSize = .base) throws {
    let first = page << UInt64(size.shift - 12)
    state.withLock { $0.inFlight = first }
    try rig.remove(Rig.page(page, 0, size))
    state.withLock {
      $0.mapped[first] = nil
      $0.inFlight = nil
    }
  }

  /// Removes the pages of `pages`, one 2 MiB at a time and with the range function.
  func removeAll(_ range: VirtualRange) throws {
    state.withLock { $0.mapped = $0.mapped.filter { !range.contains(VirtualAddress($0.key << 12)) } }
    rig.database.settle(try rig.database.removeAll(in: range) { _ in })
  }
}

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
      let state = stepper.state.withLock { $0 }
      #expect(state.wrong == [])
      #expect(state.steps > 2_000)
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
      let state = stepper.state.withLock { $0 }
      #expect(state.wrong == [])
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
      let state = stepper.state.withLock { $0 }
      #expect(state.wrong == [])
      #expect(rig.machine.work[.clusterMove] > 5)
      try rig.end()
    }

    @Test func aBitThatTheHardwareSetsAtAnyMomentIsKept() throws {
      for moment in stride(from: 0, to: 500, by: 3) {
        let rig = try Rig()
        for page in 0..<UInt64(13) { try rig.insert(Rig.page(page * 8, page)) }
        let stores = Mutex(0)
        let log = AccessLog { [rig] access in
          guard access.kind == .store, access.agent == .software else { return }
          let isNow = stores.withLock { count in
            count += 1
            return count - 1 == moment
          }
          guard isNow else { return }
          for page in 0..<UInt64(13) {
            _ = rig.walker.walk(rig.root, VirtualAddress(page << 15), .store, isUser: true)
          }
        }
        rig.machine.memory.attach(log: log)
        for page in 13..<UInt64(24) { try rig.insert(Rig.page(page * 8, page)) }
        rig.machine.memory.attach(log: nil)
        #expect(rig.machine.work[.clusterMove] > 3)
        guard stores.withLock({ $0 }) > moment else { continue }
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
