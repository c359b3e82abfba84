// SPDX-License-Identifier: MIT
internal import ClusterTable
internal import DriverSupport
internal import EMTCore
internal import MMU
internal import SimMemory
internal import Testing
internal import X86Object

extension ClusterRig {
  /// Maps and unmaps pages of its own regions under range locks, as a fault handler would.
  private func work(_ database: Database, lane: UInt64, turns: UInt64) throws {
    var random = Random(lane &+ 99)
    for _ in 0..<turns {
      let page = (random.next() % 40 * 2 + lane) * 512 + random.next() % 512
      let object = ClusterRig.page(page, page)
      var lock = database.rangeLock(over: object.span)
      database.lockForWriting(&lock)
      let found = database.find(object.start)
      if found.isMapped {
        guard found.frame.raw == page else { throw TranslationError.badAddress(object.start) }
        database.settle(try database.remove(found).takeObligation())
      } else {
        database.settle(try database.update(object).takeObligation())
      }
      database.unlock(&lock)
      database.putLock(lock)
    }
  }

  /// Two threads map and unmap under range locks while a third one walks, which must find every page that stays.
  public static func checkThreads() throws {
    let rig = try ClusterRig(cpus: 3)
    for page in 0..<UInt64(200) { try rig.insert(ClusterRig.page((1 << 20) + page * 8, page + 5)) }
    let (finished, wrong, walks, failures) = (Counter(), Counter(), Counter(), Counter())
    let lanes = (0..<UInt64(2)).map { lane -> @Sendable () -> Void in
      {
        while walks.sum == 0 {}
        do { try rig.work(rig.handle(cpu: Int(lane)), lane: lane, turns: 6_000) } catch { failures.add() }
        finished.add()
      }
    }
    let walker: @Sendable () -> Void = {
      var page: UInt64 = 0
      while finished.sum < 2 {
        let address = VirtualAddress(((1 << 20) + page * 8) << 12)
        let result = rig.walker.walk(rig.root, address, .store, isUser: true)
        if result.translation?.page.raw != (page + 5) << 12 { wrong.add() }
        let other = rig.walker.probe(rig.root, VirtualAddress(page << 21), .load, isUser: true)
        if let found = other.translation, found.page.raw >> 12 != page << 9 { wrong.add() }
        walks.add()
        page = (page + 1) % 200
      }
    }
    onThreads(lanes + [walker])
    #expect(wrong.sum == 0)
    #expect(failures.sum == 0)
    #expect(rig.machine.work[.clusterMove] > 100)
    for page in 0..<UInt64(200) {
      #expect(rig.frame((1 << 20) + page * 8) == page + 5)
    }
    try rig.end()
  }

  /// Locks of one region exclude each other and those of everything.
  public static func checkLocks() throws {
    let rig = try ClusterRig(cpus: 2)
    let database = rig.database
    let region = VirtualRange(page: VirtualAddress(5 << 21), .twoMiB)
    let (order, mistakes) = (Counter(), Counter())
    onThreads([
      {
        var lock = database.rangeLock(over: region)
        database.lockForWriting(&lock)
        order.add()
        for _ in 0..<100_000 where order.sum != 1 { mistakes.add() }
        database.unlock(&lock)
      },
      {
        while order.sum == 0 {}
        let other = rig.handle(cpu: 1)
        var lock = other.rangeLock(over: VirtualRange(region.start, bytes: 4096))
        other.lockForReading(&lock)
        order.add()
        other.unlock(&lock)
      },
    ])
    #expect(order.sum == 2)
    #expect(mistakes.sum == 0)
    var everything = database.rangeLock(over: VirtualRange(VirtualAddress(0), bytes: 1 << 40))
    database.lockForReading(&everything)
    #expect(everything.mode == .writing && database.context.lock.isHeld)
    database.unlock(&everything)
    #expect(!database.context.lock.isHeld && everything.mode == .none)
    #expect(rig.machine.work[.lock] == 3)
    try rig.end()
  }
}
