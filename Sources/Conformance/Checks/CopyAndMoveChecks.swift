// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference
internal import SimMemory

extension ContractSuite {
  static func copyAndMoveChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "AR-17", "AR-17 copy",
        "A copy does per object what was decided; protected pages lose the right to store on both sides."
      ) { bench in
        let (source, target) = (try bench.makeDatabase(), try bench.makeDatabase())
        let objects = mixture(bench)
        try bench.insert(source, objects)
        let range = VirtualRange(bench.home, objects.last?.end ?? bench.home)
        func decision(_ object: Database.Object) -> CopyDecision {
          [.share, .shareProtected, .skip][Int(object.start.pageNumber % 3)]
        }
        func protected(_ object: Database.Object) -> Database.Object {
          var shared = object
          if object.isPresent { shared.isWritable = false }
          return shared
        }
        var copied: [Database.Object] = []
        let outcome = bench.range(source) { () throws(RangeFailure) in
          try source.copy(range, into: target, decide: decision, copied: { copied.append($0) })
        }
        let kept = objects.filter { decision($0) != .skip }
        bench.same(copied, kept, "the objects shown, as they were in the source")
        try bench.state(
          target, range, is: kept.map { decision($0) == .share ? $0 : protected($0) }, "the target")
        try bench.state(
          source, range, is: objects.map { decision($0) == .shareProtected ? protected($0) : $0 },
          "the source")
        let stale = objects.filter { decision($0) == .shareProtected && $0.isPresent }
        bench.expect(
          outcome.isOwed && stale.allSatisfy { outcome.flushed.contains($0.span) },
          "a flush of what was protected is owed")
        let empty = try bench.makeDatabase()
        let plain = bench.range(source) { () throws(RangeFailure) in
          try source.copy(range, into: empty, decide: { _ in .share }, copied: { _ in })
        }
        bench.expect(plain.failure == nil && !plain.isOwed, "sharing as it is owes nothing")
      },
      ContractCheck(
        "AR-17", "AR-17 copy without memory",
        "A copy that runs out of memory says how far it got; the target has exactly that."
      ) { bench in
        let objects = (0..<40).map { bench.object(bench.page($0 * 400)) }
        let range = VirtualRange(bench.home, bytes: 80 << 20)
        let source = try bench.makeDatabase()
        try bench.insert(source, objects)
        var failure: RangeFailure?
        try bench.starve(range, "a copy") { _ in
        } _: { target in
          failure =
            bench.range(source) { () throws(RangeFailure) in
              try source.copy(range, into: target, decide: { _ in .share }, copied: { _ in })
            }.failure
          return failure?.reason
        } afterFailure: { target, _ in
          let end = failure?.firstNotDone ?? range.end
          try bench.state(target, range, is: objects.filter { $0.start < end }, "the target up to \(end)")
          try bench.state(source, range, is: objects, "the source")
          _ = bench.range(target) { () throws(RangeFailure) in try target.removeAll(in: range) { _ in } }
        }
      },
      ContractCheck("AR-17", "AR-17 straddling", "A huge page over an edge stops the copy there.") { bench in
        try straddling(bench) { database, range in
          let target = try bench.makeDatabase()
          return bench.range(database) { () throws(RangeFailure) in
            try database.copy(range, into: target, decide: { _ in .shareProtected }, copied: { _ in })
          }.failure
        } expected: { objects in
          objects.map { object in
            var changed = object
            changed.isWritable = false
            return changed
          }
        }
      },
      ContractCheck(
        "AR-18", "AR-18 move",
        "A move takes every object along with all its attributes, and owes a flush of the old range."
      ) { bench in
        let database = try bench.makeDatabase()
        var objects = mixture(bench)
        objects[0].isDirty = true
        objects[1].isSoftDirty = true
        try bench.insert(database, objects)
        let distance: UInt64 = 1 << 38
        let range = VirtualRange(bench.home, objects.last?.end ?? bench.home)
        bench.run(database, on: 1)
        _ = bench.drain(1)
        let outcome = bench.range(database) { () throws(RangeFailure) in
          try database.move(range, to: bench.home.advanced(by: distance))
        }
        bench.expect(
          outcome.failure == nil && bench.isTold(database, objects),
          "the move succeeds, and the old range is flushed", "\(outcome)")
        try bench.state(database, range, is: [], "the old range")
        let there = VirtualRange(bench.home.advanced(by: distance), bytes: range.bytes)
        try bench.state(
          database, there, is: objects.map { $0.moved(to: $0.start.advanced(by: distance)) }, "the new range")
      },
      ContractCheck(
        "AR-18", "AR-18 counts after a move",
        "Pages that moved count where they are, and go on to when some of them are removed."
      ) { bench in
        let database = try bench.makeDatabase()
        let objects = (0..<6 as Range<UInt64>).map { bench.object(bench.page($0 * 80)) }
        try bench.insert(database, objects)
        let distance: UInt64 = 1 << 38
        let outcome = bench.range(database) { () throws(RangeFailure) in
          try database.move(VirtualRange(page: bench.home, .twoMiB), to: bench.home.advanced(by: distance))
        }
        bench.expect(outcome.failure == nil, "the move succeeds", "\(outcome)")
        let source = VirtualRange(bench.home, bytes: 1 << 30)
        let target = VirtualRange(bench.home.advanced(by: distance), bytes: 1 << 30)
        for left in stride(from: objects.count, through: 0, by: -1) {
          bench.equal(database.countMapped(in: target), UInt64(left), "pages where they are now")
          bench.equal(database.countMapped(in: source), 0, "pages where they were")
          bench.expect(database.isVoid(source), "the old place is void")
          guard left > 0 else { break }
          let object = objects[left - 1]
          _ = bench.remove(database, object.moved(to: object.start.advanced(by: distance)))
        }
        bench.expect(database.isVoid(target), "the new place is void in the end")
      },
      ContractCheck(
        "AR-18", "AR-18 move by pages",
        "A move by an odd number of pages works for small pages and stops at a huge one."
      ) { bench in
        for huge in bench.hugeSizes {
          let database = try bench.makeDatabase()
          let small = [1, 2, 5].map { bench.object(bench.page($0)) }
          let large = bench.object(bench.home.advanced(by: huge.bytes), huge)
          try bench.insert(database, small + [large])
          let range = VirtualRange(bench.home, large.end)
          let target = bench.home.advanced(by: (1 << 38) + 0x3000)
          let outcome = bench.range(database) { () throws(RangeFailure) in
            try database.move(range, to: target)
          }
          bench.equal(
            outcome.failure,
            RangeFailure(firstNotDone: large.start, reason: .sizeConflict(existing: large.start, size: huge)),
            "the move")
          try bench.state(database, range, is: [large], "the old range")
          let moved = small.map { $0.moved(to: target.advanced(by: $0.start.raw - bench.home.raw)) }
          try bench.state(database, VirtualRange(target, bytes: 2 << 20), is: moved, "the new range")
        }
      },
      ContractCheck(
        "AR-18", "AR-18 move without memory",
        "A move that runs out of memory leaves every object in exactly one place."
      ) { bench in
        let objects = (0..<20).map { bench.object(bench.page($0 * 300)) }
        let whole = VirtualRange(bench.home, bytes: 1 << 33)
        let range = VirtualRange(bench.home, bytes: 32 << 20)
        let distance: UInt64 = 1 << 32
        var failure: RangeFailure?
        try bench.starve(whole, "a move") {
          try bench.insert($0, objects)
        } _: { database in
          let from = failure?.firstNotDone ?? range.start
          failure =
            bench.range(database) { () throws(RangeFailure) in
              try database.move(
                VirtualRange(from, range.end), to: from.advanced(by: distance))
            }.failure
          return failure?.reason
        } afterFailure: { database, _ in
          let end = failure?.firstNotDone ?? range.end
          let moved = objects.filter { $0.start < end }.map { $0.moved(to: $0.start.advanced(by: distance)) }
          try bench.state(
            database, whole, is: objects.filter { $0.start >= end } + moved, "both ranges, stopped at \(end)")
        }
      },
    ]
  }
}
