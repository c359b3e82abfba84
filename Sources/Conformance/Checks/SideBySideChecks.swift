// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference
internal import SimMemory

extension ContractSuite {
  static func sideBySideChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "LK-21", "LK-21 side by side",
        "Threads that change ranges of their own at once, each under its lock, do not disturb each other."
      ) { bench in
        let database = try bench.makeDatabase()
        let turns: UInt64 = 2500
        let (isReady, isWrong) = (Signal(), Signal())
        var other = database
        other.context.cpu = bench.platform.cpu(1)
        let second = other
        let thread = Companion {
          isReady.raise()
          change(second, from: VirtualAddress(1 << 40), lane: 1, turns, isWrong)
        }
        bench.expect(isReady.wait(milliseconds: 10_000), "the other thread starts")
        change(database, from: bench.home, lane: 0, turns, isWrong)
        thread.join()
        bench.expect(
          !isWrong.wait(milliseconds: 0), "each thread finds what it mapped itself",
          "something else was there")
        // What both left behind: every page that is mapped has the frame that follows from its address.
        let whole = VirtualRange(bench.home, bytes: 80 << 21)
        var pages: UInt64 = 0
        for object in try bench.mapped(database, whole) {
          pages += object.size.basePages
          bench.equal(object.physicalAddress, place(object.start), "the frame of \(object.start)")
        }
        bench.equal(database.countMapped(in: whole), pages, "mapped pages")
      }
    ]
  }

  /// Maps and unmaps pages in every second 2 MiB, drawn by a small generator, under the lock of each.
  private static func change<Database: TranslationDatabase>(
    _ database: Database, from home: VirtualAddress, lane: UInt64, _ turns: UInt64, _ isWrong: Signal
  ) {
    var random = SplitMix64(seed: lane + 99)
    for _ in 0..<turns {
      let region = random.next() % 40 * 2 + lane
      let start = home.advanced(by: region << 21 + (random.next() % 512) << 12)
      var object = Database.Object(unmappedAt: start, size: .base)
      object.isPresent = true
      object.isUser = true
      object.isWritable = true
      object.physicalAddress = place(start)
      var lock = database.rangeLock(over: object.span)
      database.lockForWriting(&lock)
      let found = database.find(start)
      do throws(TranslationError) {
        if found.isMapped {
          if found.physicalAddress != place(start) { isWrong.raise() }
          database.settle(try database.remove(found).takeObligation())
        } else {
          database.settle(try database.update(object).takeObligation())
        }
      } catch { isWrong.raise() }
      database.unlock(&lock)
      database.putLock(lock)
    }
  }

  private static func place(_ address: VirtualAddress) -> PhysicalAddress {
    PhysicalAddress(address.raw & 0xFFF_FFFF + 0x1000)
  }
}
