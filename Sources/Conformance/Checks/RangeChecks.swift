// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference
internal import SimMemory

extension ContractSuite {
  static func rangeChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "AR-13", "AR-13 void", "A range is void exactly when nothing in it is mapped, whatever the sizes."
      ) { bench in
        let database = try bench.makeDatabase()
        let whole = VirtualRange(bench.home, bytes: 1 << 32)
        bench.expect(database.isVoid(whole), "an empty database is void")
        for object in mixture(bench) {
          try bench.insert(database, object)
          bench.expect(!database.isVoid(whole), "not void with \(object.summary)")
          bench.expect(
            !database.isVoid(VirtualRange(page: object.start, .base)), "its first page is not void")
          bench.expect(
            !database.isVoid(VirtualRange(VirtualAddress(object.end.raw - 0x1000), object.end)),
            "its last page is not void")
          bench.expect(database.isVoid(VirtualRange(object.end, bytes: 0x1000)), "the page behind is void")
          _ = bench.remove(database, object)
          bench.expect(database.isVoid(whole), "void again")
        }
      },
      ContractCheck(
        "AR-14", "AR-14 count",
        "The count is of base pages mapped in the range; a huge page counts with its part."
      ) { bench in
        let database = try bench.makeDatabase()
        let objects = mixture(bench)
        var expected: UInt64 = 0
        let whole = VirtualRange(bench.home, bytes: 1 << 33)
        for object in objects {
          try bench.insert(database, object)
          expected += object.size.basePages
          bench.equal(database.countMapped(in: whole), expected, "pages with \(object.summary)")
          bench.equal(database.countMapped(in: VirtualRange(page: object.start, .base)), 1, "one page of it")
          if object.size > .base {
            let middle = VirtualRange(object.start.advanced(by: 0x3000), bytes: 0x5000)
            bench.equal(database.countMapped(in: middle), 5, "five pages in the middle of \(object.size)")
            let edge = VirtualRange(VirtualAddress(object.start.raw - 0x2000), bytes: 0x5000)
            bench.equal(database.countMapped(in: edge), 3, "three pages over the edge of \(object.size)")
          }
        }
        for object in objects { _ = bench.remove(database, object) }
        bench.equal(database.countMapped(in: whole), 0, "pages at the end")
      },
      ContractCheck(
        "AR-14", "AR-14 count full",
        "A region that is full of base pages counts with all of them, to the page."
      ) { bench in
        let database = try bench.makeDatabase()
        let region = VirtualRange(page: bench.home, .twoMiB)
        let wide = VirtualRange(bench.home, bytes: 1 << 30)
        let objects = (0..<512 as Range<UInt64>).map { bench.object(bench.page($0)) }
        try bench.insert(database, objects)
        bench.equal(database.countMapped(in: region), 512, "pages of a full 2 MiB")
        bench.equal(database.countMapped(in: wide), 512, "pages of its 1 GiB")
        bench.equal(
          database.countMapped(in: VirtualRange(bench.page(1), bench.page(512))), 511, "all but the first")
        for number in [0, 511, 200] {
          let before = database.countMapped(in: region)
          _ = bench.remove(database, objects[number])
          bench.equal(database.countMapped(in: region), before - 1, "pages without page \(number)")
        }
      },
    ]
  }

  static func rangeChangeChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "AR-15", "AR-15 remove all",
        "Every object of the range goes, shown once and in order; what is outside stays."
      ) { bench in
        let database = try bench.makeDatabase()
        let objects = mixture(bench)
        let outside = bench.object(VirtualAddress(bench.home.raw - 0x1000))
        try bench.insert(database, objects + [outside])
        bench.run(database, on: 1)
        _ = bench.drain(1)
        let range = VirtualRange(bench.page(1), objects.last?.end ?? bench.home)
        var shown: [Database.Object] = []
        let outcome = bench.range(database) { () throws(RangeFailure) in
          try database.removeAll(in: range) { shown.append($0) }
        }
        bench.same(shown, Array(objects.dropFirst()), "the objects shown")
        bench.expect(
          outcome.failure == nil && bench.isTold(database, shown),
          "the removal succeeds and everything is flushed")
        try bench.state(
          database, VirtualRange(outside.start, range.end), is: [outside, objects[0]], "what is left")
        let again = bench.range(database) { () throws(RangeFailure) in
          try database.removeAll(in: range) { _ in }
        }
        bench.expect(
          again.failure == nil && !again.isOwed, "a second time there is nothing and nothing is owed")
        try bench.insert(database, Array(objects.dropFirst()))
        try bench.state(
          database, VirtualRange(outside.start, range.end), is: [outside] + objects, "after mapping again")
      },
      ContractCheck(
        "AR-15", "AR-15 straddling",
        "A huge page over an edge stops the removal there: before it all is done, behind it nothing."
      ) { bench in
        try straddling(bench) { database, range in
          bench.range(database) { () throws(RangeFailure) in try database.removeAll(in: range) { _ in } }
            .failure
        } expected: { _ in
          []
        }
      },
      ContractCheck(
        "AR-16", "AR-16 protect",
        "Every present object in the range gets exactly the rights; the rest of it stays."
      ) { bench in
        let objects = mixture(bench)
        for bits in 0..<8 {
          let database = try bench.makeDatabase()
          try bench.insert(database, objects)
          let rights = Protection(readable: bits & 1 != 0, writable: bits & 2 != 0, executable: bits & 4 != 0)
          let range = VirtualRange(bench.page(1), objects.last?.end ?? bench.home)
          let outcome = bench.range(database) { () throws(RangeFailure) in
            try database.setProtection(in: range, to: rights)
          }
          let expected = objects.enumerated().map { index, object in
            var changed = object
            if index > 0, object.isPresent { changed.setProtection(rights) }
            return changed
          }
          try bench.state(database, VirtualRange(bench.home, range.end), is: expected, "with \(rights)")
          if !rights.isWritable || !rights.isReadable {
            bench.expect(
              outcome.isOwed && outcome.flushed.contains(objects[1].span), "lost rights owe a flush")
          }
        }
      },
      ContractCheck("AR-16", "AR-16 straddling", "A huge page over an edge stops the change there.") {
        bench in
        let rights = Protection(readable: true, writable: false, executable: false)
        try straddling(bench) { database, range in
          bench.range(database) { () throws(RangeFailure) in try database.setProtection(in: range, to: rights)
          }.failure
        } expected: { objects in
          objects.map { object in
            var changed = object
            changed.setProtection(rights)
            return changed
          }
        }
      },
    ]
  }

  /// Runs a range function over small pages followed by a huge one that leaves the range, and over a range that starts
  /// inside a huge page.
  static func straddling<Database>(
    _ bench: ContractBench<Database>, _ body: (Database, VirtualRange) throws -> RangeFailure?,
    expected: ([Database.Object]) -> [Database.Object]
  ) throws {
    for huge in bench.hugeSizes {
      let database = try bench.makeDatabase()
      let obstacle = bench.object(bench.home.advanced(by: huge.bytes), huge)
      let small = [3, 2].map { bench.object(VirtualAddress(obstacle.start.raw - $0 << 12)) }
      let behind = bench.object(obstacle.end)
      try bench.insert(database, small + [obstacle, behind])
      let reason = TranslationError.sizeConflict(existing: obstacle.start, size: huge)
      let over = VirtualRange(small[0].start, obstacle.start.advanced(by: 0x4000))
      bench.equal(
        try body(database, over), RangeFailure(firstNotDone: obstacle.start, reason: reason),
        "a huge page over the end")
      let done = expected(small)
      try bench.state(
        database, VirtualRange(bench.home, behind.end), is: done + [obstacle, behind], "what is done then")
      let inside = VirtualRange(obstacle.start.advanced(by: 0x4000), behind.end)
      bench.equal(
        try body(database, inside), RangeFailure(firstNotDone: inside.start, reason: reason),
        "a huge page over the start")
      try bench.state(
        database, VirtualRange(bench.home, behind.end), is: done + [obstacle, behind], "nothing is done then")
    }
  }
}
