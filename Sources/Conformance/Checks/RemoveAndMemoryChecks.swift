// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference
internal import SimMemory

extension ContractSuite {
  static func removeChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "DB-6", "DB-6 remove",
        "A removal returns the object with all its attributes, owes its flush, and leaves a void."
      ) { bench in
        let database = try bench.makeDatabase()
        for size in bench.sizes {
          var object = bench.object(bench.home, size)
          object.isAccessed = true
          object.isDirty = true
          let neighbour = bench.object(object.end, size)
          try bench.insert(database, object, neighbour)
          let outcome = bench.remove(database, Database.Object(unmappedAt: object.start, size: size))
          if let old = outcome.old {
            bench.same(old, object, "the removed object")
          } else {
            bench.fail("the removed object", outcome.error.map { "\($0)" } ?? "nothing")
          }
          bench.expect(
            outcome.isOwed && outcome.flushed.contains(object.span), "a removal owes a flush of the page")
          try bench.state(
            database, VirtualRange(bench.home, bytes: size.bytes * 2), is: [neighbour], "afterwards")
          bench.equal(bench.remove(database, object).error, .notMapped, "a second removal")
          _ = bench.remove(database, neighbour)
        }
      },
      ContractCheck(
        "DB-6", "DB-6 nothing there",
        "Removing what is not there is an error, also where tables were left behind."
      ) { bench in
        let database = try bench.makeDatabase()
        for size in bench.sizes {
          bench.equal(
            bench.remove(database, bench.object(bench.home, size)).error, .notMapped, "in an empty database")
        }
        try bench.insert(database, bench.object(bench.home))
        _ = bench.remove(database, bench.object(bench.home))
        for size in bench.sizes {
          bench.equal(
            bench.remove(database, bench.object(bench.home, size)).error, .notMapped,
            "\(size) after a removal")
        }
      },
      ContractCheck(
        "DB-6", "DB-6 undo", "An update with the old object right after its removal needs no memory."
      ) { bench in
        let database = try bench.makeDatabase()
        for size in bench.sizes {
          let object = bench.object(bench.home, size)
          try bench.insert(database, object)
          let old = bench.remove(database, object).old
          bench.frames.injectFailure(after: 0, staysBroken: true)
          let undone = bench.update(database, old ?? object)
          bench.frames.stopInjectingFailures()
          bench.expect(
            undone.error == nil, "the old object of \(size) is back", undone.error.map { "\($0)" } ?? "")
          bench.same(database.find(object.start), object, "after the undo")
          _ = bench.remove(database, object)
        }
      },
      ContractCheck("DB-6", "DB-6 larger page", "A larger page takes the place of tables that are empty now.")
      { bench in
        for (index, large) in bench.sizes.enumerated() {
          for small in bench.sizes[..<index] {
            let database = try bench.makeDatabase()
            let parts = [0, small.bytes * 7, large.bytes - small.bytes].map {
              bench.object(bench.home.advanced(by: $0), small)
            }
            try bench.insert(database, parts)
            for part in parts { _ = bench.remove(database, part) }
            let huge = bench.object(bench.home, large)
            try bench.insert(database, huge)
            try bench.state(
              database, VirtualRange(bench.home, bytes: large.bytes * 2), is: [huge],
              "\(large) where \(small) was")
          }
        }
      },
    ]
  }

  static func memoryChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "DB-7", "DB-7 footprint",
        "The footprint is exactly what the frame allocator handed out for the database."
      ) { bench in
        let before = bench.frames.freeFrames
        let database = try bench.makeDatabase()
        func check(_ what: String) {
          bench.equal(database.footprint.total, (before - bench.frames.freeFrames) << 12, "footprint \(what)")
        }
        check("of an empty database")
        for step in 0..<40 {
          try bench.insert(database, bench.object(bench.page(UInt64(step) * 77)))
          check("after \(step + 1) pages")
        }
        for size in bench.hugeSizes {
          try bench.insert(
            database, bench.object(VirtualAddress(bench.home.raw + (1 << 39) + size.bytes), size))
        }
        check("with huge pages")
        _ = bench.range(database) { () throws(RangeFailure) in
          try database.insertRun(bench.object(bench.page(1 << 20)), count: 1500)
        }
        check("after a run")
        _ = bench.remove(database, bench.object(bench.page(77)))
        check("after a removal")
        _ = bench.range(database) { () throws(RangeFailure) in
          try database.removeAll(in: VirtualRange(bench.home, bytes: 1 << 38)) { _ in }
        }
        check("after removing a range")
      },
      ContractCheck("DB-8", "DB-8 release", "Destroying a database gives back every frame of its tables.") {
        bench in
        for round in 0..<3 {
          let before = bench.frames.freeFrames
          let database = try bench.makeDatabase()
          for step in 0..<(60 * UInt64(round)) {
            try bench.insert(database, bench.object(bench.page(step * 1031)))
          }
          for size in bench.hugeSizes where round > 1 {
            try bench.insert(database, bench.object(VirtualAddress(size.bytes), size))
          }
          bench.destroy(database)
          bench.equal(bench.frames.freeFrames, before, "free frames after round \(round)")
        }
      },
    ]
  }
}
