// SPDX-License-Identifier: MIT
import ClusterTable
import EMTCore
import EntryFormats
import Hashed
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
        let found = rig.frame(page)
        if found != frame, state.wrong.count < 3 {
          state.wrong.append("page \(page) at frame \(frame) was found at \(found ?? 0)")
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

  func insert(_ page: UInt64, _ frame: UInt64) throws {
    state.withLock { $0.inFlight = page }
    try rig.insert(Rig.page(page, frame))
    state.withLock {
      $0.mapped[page] = frame
      $0.inFlight = nil
    }
  }

  func remove(_ page: UInt64) throws {
    state.withLock { $0.inFlight = page }
    try rig.remove(Rig.page(page, 0))
    state.withLock {
      $0.mapped[page] = nil
      $0.inFlight = nil
    }
  }
}

#if DEBUG
  @Suite struct SteppingTests {
    @Test func everyMappedPageIsFoundAtEveryStoreWhileTablesGrowAndShrink() throws {
      let rig = try Rig()
      let stepper = Stepper(rig)
      let pages = (0..<UInt64(240)).map { $0 * 8 &+ ($0 * 5) % 8 }
      try stepper.watch {
        for page in pages { try stepper.insert(page, page + 1000) }
        for page in pages.dropLast(3) { try stepper.remove(page) }
      }
      let state = stepper.state.withLock { $0 }
      #expect(state.wrong == [])
      #expect(state.steps > 10_000)
      #expect(rig.machine.work[.clusterMove] > 400)
      #expect(rig.database.footprint.total <= 8192)
      try rig.end()
    }

    @Test func gapsCloseWithoutLosingCollidingPages() throws {
      let rig = try Rig()
      let stepper = Stepper(rig)
      // All at home in the last two of 32 slots, so that searches run around the end of the array.
      let numbers = (1..<UInt64(10_000)).filter { HashedFormat.hash($0) & 31 >= 30 }.prefix(14)
      var random = Random(7)
      try stepper.watch {
        for number in numbers { try stepper.insert(number * 8 + 3, number) }
        for number in numbers.shuffled(using: &random) { try stepper.remove(number * 8 + 3) }
      }
      let state = stepper.state.withLock { $0 }
      #expect(state.wrong == [])
      #expect(rig.machine.work[.clusterMove] > 10)
      #expect(rig.database.footprint.total == 4096)
      try rig.end()
    }

    @Test func aBitThatTheHardwareSetsAtAnyMomentOfAMoveIsKept() throws {
      for moment in 0..<60 {
        let rig = try Rig()
        let numbers = Array((1..<UInt64(10_000)).filter { HashedFormat.hash($0) & 31 == 5 }.prefix(3))
        for number in numbers { try rig.insert(Rig.page(number * 8 + number % 8, number)) }
        let victim = VirtualAddress((numbers[1] * 8 + numbers[1] % 8) << 12)
        let stores = Mutex(0)
        let log = AccessLog { [rig] access in
          guard access.kind == .store, access.agent == .software else { return }
          let isNow = stores.withLock { count in
            count += 1
            return count - 1 == moment
          }
          if isNow { _ = rig.walker.walk(rig.root, victim, .store, isUser: true) }
        }
        rig.machine.memory.attach(log: log)
        try rig.remove(Rig.page(numbers[0] * 8 + numbers[0] % 8, 0))
        rig.machine.memory.attach(log: nil)
        #expect(stores.withLock { $0 } > moment || moment > 30)
        let object = rig.database.find(victim)
        #expect(object.isDirty == (stores.withLock { $0 } > moment), "store \(moment)")
        try rig.end()
      }
    }

    @Test func aBitThatTheHardwareSetsWhileATableGrowsIsKept() throws {
      for moment in stride(from: 0, to: 400, by: 3) {
        let rig = try Rig()
        for page in 0..<UInt64(20) { try rig.insert(Rig.page(page * 8, page)) }
        let stores = Mutex(0)
        let log = AccessLog { [rig] access in
          guard access.kind == .store, access.agent == .software else { return }
          let isNow = stores.withLock { count in
            count += 1
            return count - 1 == moment
          }
          guard isNow else { return }
          for page in 0..<UInt64(20) {
            _ = rig.walker.walk(rig.root, VirtualAddress(page << 15), .store, isUser: true)
          }
        }
        rig.machine.memory.attach(log: log)
        for page in 20..<UInt64(24) { try rig.insert(Rig.page(page * 8, page)) }
        rig.machine.memory.attach(log: nil)
        #expect(rig.machine.work[.clusterMove] > 10)
        #expect(stores.withLock { $0 } > moment)
        let clean = (0..<UInt64(20)).filter { !rig.database.find(VirtualAddress($0 << 15)).isDirty }
        #expect(clean == [], "store \(moment)")
        try rig.end()
      }
    }
  }
#endif
