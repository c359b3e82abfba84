// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference
internal import SimMemory

extension ContractSuite {
  static func swapChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "SW-24", "SW-24 to swap entry",
        "An object tells where its contents are, and nil when they are in memory or nowhere."
      ) { bench in
        let database = try bench.makeDatabase()
        bench.equal(database.swapEntry(of: bench.object(bench.home)), nil, "a present page")
        bench.equal(
          database.swapEntry(of: Database.Object(unmappedAt: bench.home, size: .base)), nil, "a blank")
        let entry = SwapEntry(area: 3, offset: 1234)
        let swapped = try database.object(bench.object(bench.home), swappedTo: entry)
        try bench.insert(database, swapped)
        bench.equal(database.swapEntry(of: database.find(bench.home)), entry, "a page in swap, found again")
      },
      ContractCheck(
        "SW-25", "SW-25 from swap entry",
        "Swapping out keeps place, soft-dirty and userfaultfd protection, and drops the rest."
      ) { bench in
        let database = try bench.makeDatabase()
        for bits in 0..<4 {
          var object = bench.object(bench.page(2))
          object.isSoftDirty = bits & 1 != 0
          object.isUserfaultWriteProtected = bits & 2 != 0
          object.isDirty = true
          object.isAccessed = true
          let swapped = try database.object(object, swappedTo: SwapEntry(area: 1, offset: 5))
          bench.equal(swapped.start, object.start, "start")
          bench.equal(swapped.isSoftDirty, bits & 1 != 0, "soft-dirty")
          bench.equal(swapped.isUserfaultWriteProtected, bits & 2 != 0, "userfaultfd protection")
          bench.expect(swapped.isMapped && !swapped.isPresent, "mapped and not present", swapped.summary)
          bench.expect(
            !swapped.isDirty && !swapped.isAccessed && !swapped.isWritable, "no rights", swapped.summary)
          try bench.insert(database, swapped)
          bench.same(database.find(object.start), swapped, "a round trip through the database")
          bench.checkHardware(database, object.span, [])
        }
      },
      ContractCheck(
        "SW-26", "SW-26 largest offset", "The largest offset is at least 2^16 pages and really fits."
      ) { bench in
        let database = try bench.makeDatabase()
        let largest = database.largestSwapOffset
        bench.expect(largest >= 1 << 16, "at least 65536 pages of swap", "\(largest)")
        for offset in [0, 1, largest / 2, largest] {
          let entry = SwapEntry(area: 30, offset: offset)
          do throws(AttributeError) {
            let swapped = try database.object(bench.object(bench.home), swappedTo: entry)
            bench.equal(database.swapEntry(of: swapped), entry, "offset \(offset)")
          } catch { bench.fail("offset \(offset) fits", "\(error)") }
        }
      },
    ]
  }

  static func inPlaceChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "IP-31", "IP-31 update attributes",
        "Attributes change where the object is; the change reports the object before and what is owed."
      ) { bench in
        try everySize(bench) { database, object in
          let outcome = bench.outcome(database) { () throws(TranslationError) in
            try database.updateAttributes(at: object.start.advanced(by: 0x800)) { found in
              bench.same(found, object, "the object shown")
              found.isWritable = false
              found.isSoftDirty = true
            }
          }
          if let old = outcome.old { bench.same(old, object, "the object before") }
          bench.expect(outcome.isOwed && outcome.flushed.contains(object.span), "a lost right owes a flush")
          var expected = object
          expected.isWritable = false
          expected.isSoftDirty = true
          return expected
        } absent: { database, address in
          bench.outcome(database) { () throws(TranslationError) in
            try database.updateAttributes(at: address) { _ in bench.fail("nothing to show", "the body runs") }
          }.error
        }
      },
      ContractCheck(
        "IP-32", "IP-32 accessed",
        "Testing accessed tells whether it was set, and clears it and nothing else."
      ) { bench in
        try everySize(bench) { database, object in
          bench.equal(
            try database.testAndClearAccessed(at: object.start.advanced(by: 0x10)), true,
            "accessed, first time")
          bench.equal(try database.testAndClearAccessed(at: object.start), false, "accessed, second time")
          var expected = object
          expected.isAccessed = false
          return expected
        } absent: { database, address in
          bench.thrown { () throws(TranslationError) in _ = try database.testAndClearAccessed(at: address) }
        }
      },
      ContractCheck(
        "IP-33", "IP-33 dirty",
        "Testing dirty tells whether it was set, clears it and nothing else, and owes a flush if it was."
      ) { bench in
        try everySize(bench) { database, object in
          for isFirst in [true, false] {
            let bit = try database.testAndClearDirty(at: object.start)
            bench.equal(bit.wasSet, isFirst, "dirty")
            let obligation = bit.takeObligation()
            bench.equal(obligation.isOwed, isFirst, "a flush is owed")
            if isFirst {
              bench.expect(
                obligation.range.contains(object.span), "the flush covers the page", "\(obligation.range)")
            }
            database.settle(obligation)
          }
          var expected = object
          expected.isDirty = false
          return expected
        } absent: { database, address in
          bench.thrown { () throws(TranslationError) in
            database.settle(try database.testAndClearDirty(at: address).takeObligation())
          }
        }
      },
      ContractCheck("IP-34", "IP-34 set accessed", "The bits are set as hardware would, and stay set.") {
        bench in
        try everySize(bench) { database, object in
          var cleared = object
          cleared.isAccessed = false
          cleared.isDirty = false
          try bench.insert(database, cleared)
          try database.setAccessed(at: object.start.advanced(by: 0x123), alsoDirty: false)
          var expected = cleared
          expected.isAccessed = true
          bench.same(database.find(object.start), expected, "after a load")
          try database.setAccessed(at: object.start, alsoDirty: true)
          try database.setAccessed(at: object.start, alsoDirty: false)
          expected.isDirty = true
          return expected
        } absent: { database, address in
          bench.thrown { () throws(TranslationError) in try database.setAccessed(at: address, alsoDirty: true)
          }
        }
      },
      ContractCheck("IP-35", "IP-35 make writable", "The page can be stored to, and is dirty and accessed.") {
        bench in
        try everySize(bench) { database, object in
          var protected = object
          protected.isWritable = false
          protected.isDirty = false
          protected.isAccessed = false
          try bench.insert(database, protected)
          try database.makeWritable(at: object.start.advanced(by: 0x7FF))
          return object
        } absent: { database, address in
          bench.thrown { () throws(TranslationError) in try database.makeWritable(at: address) }
        }
      },
    ]
  }

  /// Runs `body` on a dirty, accessed page of every size between neighbours, then compares with what it returns; and
  /// `absent` on a void and, where it is not an attribute change, on a page in swap.
  private static func everySize<Database>(
    _ bench: ContractBench<Database>, _ body: (Database, Database.Object) throws -> Database.Object,
    absent: (Database, VirtualAddress) -> TranslationError?
  ) throws {
    for size in bench.sizes {
      let database = try bench.makeDatabase()
      var object = bench.object(bench.home.advanced(by: size.bytes), size)
      object.isDirty = true
      object.isAccessed = true
      let neighbours = [bench.object(bench.home, size), bench.object(object.end, size)]
      try bench.insert(database, neighbours + [object])
      let expected = try body(database, object)
      try bench.state(
        database, VirtualRange(bench.home, bytes: size.bytes * 4),
        is: [neighbours[0], expected, neighbours[1]], "afterwards")
      bench.equal(absent(database, neighbours[1].end.advanced(by: 0x20)), .notMapped, "on a void")
      if bench.clause != "IP-31" {
        let swapped = bench.swapped(VirtualAddress(bench.home.raw + (1 << 35)))
        try bench.insert(database, swapped)
        bench.equal(absent(database, swapped.start), .notMapped, "on a page in swap")
        bench.same(database.find(swapped.start), swapped, "the page in swap afterwards")
      }
    }
  }
}

extension ContractBench {
  func thrown(_ body: () throws(TranslationError) -> Void) -> TranslationError? {
    do throws(TranslationError) {
      try body()
      return nil
    } catch { return error }
  }
}
