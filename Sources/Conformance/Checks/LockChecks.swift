// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory

extension ContractSuite {
  static func lockChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "LK-19", "LK-19 get and put",
        "A lock for any range can be made, taken, given up and put back, again and again."
      ) { bench in
        let database = try bench.makeDatabase()
        let before = bench.frames.freeFrames + database.footprint.total >> 12
        for pages: UInt64 in [1, 7, 512, 513, 1 << 18, 1 << 27] {
          for _ in 0..<3 {
            var lock = database.rangeLock(over: VirtualRange(bench.page(3), bytes: pages << 12))
            database.lockForReading(&lock)
            database.unlock(&lock)
            database.lockForWriting(&lock)
            database.unlock(&lock)
            database.putLock(lock)
          }
        }
        // A lock may leave table memory behind, but only what the footprint says.
        bench.equal(
          bench.frames.freeFrames + database.footprint.total >> 12, before, "free frames plus the footprint")
      },
      ContractCheck(
        "LK-20", "LK-20 readers share",
        "Two readers hold small overlapping ranges at once; a large range may exclude more."
      ) {
        bench in
        let database = try bench.makeDatabase()
        handshake(
          bench, database, holder: .reading, contender: .reading, isExcluded: false,
          VirtualRange(bench.page(5), bench.page(7)))
      },
      ContractCheck("LK-20", "LK-20 reader waits", "A reader waits for a writer of an overlapping range.") {
        bench in
        let database = try bench.makeDatabase()
        handshake(
          bench, database, holder: .writing, contender: .reading, isExcluded: true,
          VirtualRange(bench.page(2), bench.page(600)))
      },
      ContractCheck(
        "LK-21", "LK-21 writer waits",
        "A writer waits for readers and writers of overlapping ranges, whatever the sizes."
      ) { bench in
        let database = try bench.makeDatabase()
        for mode in [LockMode.reading, .writing] {
          for (first, last): (UInt64, UInt64) in [(5, 6), (0, 6), (5, 1 << 18)] {
            handshake(
              bench, database, holder: mode, contender: .writing, isExcluded: true,
              VirtualRange(bench.page(first), bench.page(last)))
          }
        }
      },
      ContractCheck(
        "LK-21", "LK-21 entries that move",
        "A lock goes on to exclude while entries in its range come and go."
      ) { bench in
        let database = try bench.makeDatabase()
        handshake(
          bench, database, holder: .writing, contender: .writing, isExcluded: true,
          VirtualRange(bench.page(5), bench.page(6))
        ) {
          // Whoever holds a lock changes only what it covers.
          for round in 0..<40 {
            for number: UInt64 in 4..<8 { try bench.insert(database, bench.object(bench.page(number))) }
            for number: UInt64 in 4..<8 where round % 2 == 0 {
              _ = bench.remove(database, bench.object(bench.page(number)))
            }
          }
        }
      },
      ContractCheck("LK-22", "LK-22 unlock", "Giving a lock up lets the next one in, alone or beside others.")
      { bench in
        let database = try bench.makeDatabase()
        let range = VirtualRange(bench.page(0), bench.page(512))
        var first = database.rangeLock(over: range)
        var second = database.rangeLock(over: range)
        // One lock at a time: that is what lets locks go without an order.
        database.lockForReading(&first)
        database.unlock(&first)
        database.lockForReading(&second)
        database.unlock(&second)
        database.lockForWriting(&first)
        database.unlock(&first)
        database.lockForWriting(&second)
        database.unlock(&second)
        database.putLock(first)
        database.putLock(second)
      },
      ContractCheck(
        "LK-23", "LK-23 put",
        "Putting back a lock that was never taken is fine, and others can be taken then."
      ) { bench in
        let database = try bench.makeDatabase()
        let range = VirtualRange(bench.page(0), bench.page(1))
        database.putLock(database.rangeLock(over: range))
        var lock = database.rangeLock(over: range)
        database.lockForWriting(&lock)
        database.unlock(&lock)
        database.putLock(lock)
      },
    ]
  }

  /// Holds pages 4 to 7 in one mode here while another thread, on CPU 1, wants `range`; says whether it had to wait.
  private static func handshake<Database: TranslationDatabase>(
    _ bench: ContractBench<Database>, _ database: Database, holder: LockMode, contender: LockMode,
    isExcluded: Bool,
    _ range: VirtualRange, meanwhile: () throws -> Void = {}
  ) {
    var held = database.rangeLock(over: VirtualRange(bench.page(4), bench.page(8)))
    if holder == .writing { database.lockForWriting(&held) } else { database.lockForReading(&held) }
    let (isTrying, isInside) = (Signal(), Signal())
    var other = database
    other.context.cpu = bench.platform.cpu(1)
    let second = other
    let thread = Companion {
      var lock = second.rangeLock(over: range)
      isTrying.raise()
      if contender == .writing { second.lockForWriting(&lock) } else { second.lockForReading(&lock) }
      isInside.raise()
      second.unlock(&lock)
      second.putLock(lock)
    }
    bench.expect(isTrying.wait(milliseconds: 10_000), "the other thread starts")
    if isExcluded {
      do { try meanwhile() } catch { bench.fail("the changes under the lock", "\(error)") }
      bench.expect(!isInside.wait(milliseconds: 20), "\(contender) \(range) waits for \(holder)", "it got in")
    } else {
      bench.expect(
        isInside.wait(milliseconds: 10_000), "\(contender) \(range) shares with \(holder)", "it waits")
    }
    database.unlock(&held)
    database.putLock(held)
    guard isInside.wait(milliseconds: 10_000) else {
      // The thread is left behind: waiting for it would hang the whole suite.
      return bench.fail("the other thread gets in afterwards", "it still waits")
    }
    thread.join()
  }
}
