// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference
internal import SimMemory

extension ContractSuite {
  static func findChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "DB-4", "DB-4 empty",
        "In an empty database every address is in an aligned, unmapped object that holds it."
      ) { bench in
        let database = try bench.makeDatabase()
        for address in [
          bench.home, bench.page(1), bench.page(511), VirtualAddress(0), VirtualAddress(0x7FFF_FFFF_F000),
        ] {
          checkVoid(bench, database, address)
        }
      },
      ContractCheck("DB-4", "DB-4 truthful voids", "A void span never covers anything that is mapped.") {
        bench in
        let database = try bench.makeDatabase()
        var mapped: [Database.Object] = []
        for number: UInt64 in [0, 2, 7, 8, 63, 511, 512, 1023, 262_144] {
          mapped.append(bench.object(bench.page(number)))
        }
        for size in bench.hugeSizes {
          mapped.append(bench.object(bench.home.advanced(by: size.bytes * 3), size))
        }
        for (index, object) in mapped.enumerated() {
          try bench.insert(database, object)
          for known in mapped[...index] {
            bench.same(database.find(known.start), known, "find")
            for probe in [VirtualAddress(known.start.raw &- 1), known.end, known.end.advanced(by: 0x5000)]
            where !mapped[...index].contains(where: { $0.span.contains(probe) }) {
              checkVoid(bench, database, probe, mapped: Array(mapped[...index]))
            }
          }
        }
      },
      ContractCheck(
        "DB-4", "DB-4 inside huge", "Every address of a huge page finds the whole page with its own start."
      ) { bench in
        let database = try bench.makeDatabase()
        for size in bench.hugeSizes {
          let huge = bench.object(bench.home.advanced(by: size.bytes * 2), size)
          try bench.insert(database, huge)
          for offset in [0, 0x1000, size.bytes / 2 + 5, size.mask] {
            bench.same(database.find(huge.start.advanced(by: offset)), huge, "find at +\(offset)")
          }
        }
      },
      ContractCheck("DB-4", "DB-4 bad address", "An address that cannot be translated is unmapped.") {
        bench in
        let database = try bench.makeDatabase()
        try bench.insert(database, bench.object(VirtualAddress(0x1000)))
        let half = bench.service.userEnd.raw &+ PageSize.base.bytes
        for raw in [half, half &+ 0x1000, 0 &- 2 &* half &+ 0x1000] {
          let found = database.find(VirtualAddress(raw))
          bench.expect(!found.isMapped, "0x\(String(raw, radix: 16)) is unmapped", found.summary)
        }
      },
    ]
  }

  private static func checkVoid<Database>(
    _ bench: ContractBench<Database>, _ database: Database, _ address: VirtualAddress,
    mapped: [Database.Object] = []
  ) {
    let found = database.find(address)
    bench.expect(!found.isMapped, "\(address) is unmapped", found.summary)
    bench.expect(
      found.size >= .base && found.start == address.aligned(down: found.size),
      "an aligned span around \(address)", found.summary)
    if let inside = mapped.first(where: { $0.span.overlaps(found.span) }) {
      bench.fail("a void around \(address) that leaves out \(inside.summary)", found.summary)
    }
  }

  static func updateChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "DB-5", "DB-5 insert and replace",
        "An update inserts or replaces, and reports the object before and exactly what is owed."
      ) { bench in
        let database = try bench.makeDatabase()
        for size in bench.sizes {
          let first = bench.object(bench.home.advanced(by: size.bytes * 5), size)
          let inserted = bench.update(database, first)
          bench.expect(inserted.error == nil && inserted.old?.isMapped == false, "nothing was there before")
          bench.expect(!inserted.isOwed, "inserting owes no flush")
          let second = bench.object(first.start, size, shiftedBy: 9)
          let replaced = bench.update(database, second)
          if let old = replaced.old { bench.same(old, first, "the replaced object") }
          bench.expect(
            replaced.isOwed && replaced.flushed.contains(first.span), "replacing owes a flush of the page")
          bench.same(database.find(first.start), second, "what is found then")
          bench.checkHardware(database, first.span, [second])
        }
      },
      ContractCheck(
        "DB-5", "DB-5 owed flushes",
        "A flush is owed when rights, frame or presence go; never when nothing was in memory."
      ) { bench in
        try owedFlushes(bench)
      },
      ContractCheck(
        "DB-5", "DB-5 attributes stored", "Whatever an object says is found again, at every page size."
      ) { bench in
        let database = try bench.makeDatabase()
        for size in bench.sizes {
          for subset in 0..<(1 << plainFlags.count) {
            var object = bench.object(bench.home.advanced(by: size.bytes * 4), size)
            for (bit, flag) in plainFlags.enumerated() { try object.write(flag, UInt64(subset >> bit & 1)) }
            object.cacheMode = CacheMode.allCases[subset % CacheMode.allCases.count]
            if subset & 3 == 3 { object.isReadable = false }
            try bench.insert(database, object)
            bench.same(database.find(object.start), object, "stored")
          }
          var swapped = bench.swapped(bench.page(3), offset: 0xABCD_EF01)
          swapped.isSoftDirty = true
          try bench.insert(database, swapped)
          bench.same(database.find(swapped.start), swapped, "a swap entry, stored")
        }
      },
      ContractCheck("DB-5", "DB-5 idempotence", "The same update twice leaves the same state.") { bench in
        let database = try bench.makeDatabase()
        let object = bench.object(bench.page(9))
        try bench.insert(database, object, object)
        try bench.insert(database, database.find(object.start))
        try bench.state(
          database, VirtualRange(page: bench.home, .twoMiB), is: [object], "after three equal updates")
      },
      ContractCheck(
        "DB-5", "DB-5 size conflict",
        "A page that would overlap one of another size is refused, in both directions, and nothing changes."
      ) { bench in
        try sizeConflicts(bench)
      },
      ContractCheck(
        "DB-5", "DB-5 refusals", "Unsupported sizes, bad addresses and unmapped objects are refused."
      ) { bench in
        let database = try bench.makeDatabase()
        let blank = Database.Object(unmappedAt: bench.home, size: .base)
        bench.equal(bench.update(database, blank).error, .notMapped, "updating with an unmapped object")
        for shift: UInt8 in [13, 20, 22, 29, 39] where !bench.sizes.contains(PageSize(shift: shift)) {
          let size = PageSize(shift: shift)
          bench.equal(
            bench.update(database, bench.object(bench.home, size)).error, .unsupportedSize(size),
            "a page of \(size)")
        }
        var bad = bench.object(bench.home)
        let half = bench.service.userEnd.raw &+ PageSize.base.bytes
        for raw in [half, 0 &- 2 &* half] {
          try bad.write(.virtualAddress, raw)
          bench.equal(bench.update(database, bad).error, .badAddress(VirtualAddress(raw)), "a bad address")
        }
        bench.equal(
          database.footprint.total, try bench.makeDatabase().footprint.total, "bytes after refusals")
      },
      ContractCheck(
        "DB-5", "DB-5 remembered place",
        "An object found earlier may be updated after other entries came and went."
      ) { bench in
        let database = try bench.makeDatabase()
        try bench.insert(database, bench.object(bench.page(0)), bench.object(bench.page(7)))
        var (kept, gone) = (database.find(bench.page(0)), database.find(bench.page(7)))
        for number in 8..<600 { try bench.insert(database, bench.object(bench.page(UInt64(number)))) }
        bench.expect(bench.update(database, kept).error == nil, "an update through an old copy")
        _ = bench.range(database) { () throws(RangeFailure) in
          try database.removeAll(in: VirtualRange(bench.page(0), bench.page(600))) { _ in }
        }
        kept.isWritable = false
        gone.isWritable = false
        try bench.insert(database, kept)
        bench.equal(bench.remove(database, gone).error, .notMapped, "removing through a copy of what is gone")
        try bench.insert(database, gone)
        try bench.state(
          database, VirtualRange(bench.page(0), bench.page(600)), is: [kept, gone],
          "after updates through old copies")
      },
      ContractCheck(
        "DB-5", "DB-5 out of memory", "Without memory for the table an update fails and changes nothing."
      ) { bench in
        for size in bench.sizes {
          for far in [size.bytes, 1 << 39] {
            let object = bench.object(VirtualAddress(bench.home.raw + far), size)
            let range = VirtualRange(bench.home, object.end)
            try bench.starve(range, "an update at \(size)") {
              try bench.insert($0, bench.object(bench.home, size))
            } _: {
              bench.update($0, object).error
            }
          }
        }
      },
    ]
  }

  private static func sizeConflicts<Database>(_ bench: ContractBench<Database>) throws {
    for (index, large) in bench.sizes.enumerated() {
      for small in bench.sizes[..<index] {
        let database = try bench.makeDatabase()
        let huge = bench.object(bench.home, large)
        let range = VirtualRange(bench.home, bytes: large.bytes * 2)
        for offset in [0, small.bytes, large.bytes - small.bytes] {
          let part = bench.object(bench.home.advanced(by: offset), small)
          try bench.insert(database, part)
          bench.equal(
            bench.update(database, huge).error, .sizeConflict(existing: part.start, size: small),
            "\(large) over \(small)")
          try bench.state(database, range, is: [part], "after the refusal")
          bench.expect(bench.remove(database, part).error == nil, "the small page goes")
        }
        try bench.insert(database, huge)
        for offset in [0, small.bytes, large.bytes - small.bytes] {
          let part = bench.object(bench.home.advanced(by: offset), small)
          let expected = TranslationError.sizeConflict(existing: huge.start, size: large)
          bench.equal(bench.update(database, part).error, expected, "\(small) into \(large)")
          bench.equal(bench.remove(database, part).error, expected, "removing \(small) from \(large)")
          try bench.state(database, range, is: [huge], "after the refusals")
        }
        bench.expect(bench.remove(database, huge).error == nil, "the huge page goes")
        try bench.insert(database, bench.object(bench.home, small))
      }
    }
  }

  private static func owedFlushes<Database>(_ bench: ContractBench<Database>) throws {
    let database = try bench.makeDatabase()
    let base = bench.object(bench.home)
    let edits: [(String, (inout Database.Object) -> Void)] = [
      ("losing the right to store", { $0.isWritable = false }),
      ("losing all rights", { $0.isReadable = false }),
      ("another frame", { $0.physicalAddress = PhysicalAddress(0x77_7000) }),
      ("a cleared dirty bit", { $0.isDirty = false }),
      ("going to swap", { $0.swapEntry = SwapEntry(area: 0, offset: 3) }),
      ("leaving user mode", { $0.isUser = false }),
    ]
    for (what, edit) in edits {
      var dirty = base
      dirty.isDirty = true
      _ = bench.update(database, dirty)
      var edited = dirty
      edit(&edited)
      let outcome = bench.update(database, edited)
      bench.expect(outcome.isOwed && outcome.flushed.contains(base.span), "\(what) owes a flush of the page")
    }
    let swapped = bench.swapped(bench.page(1))
    try bench.insert(database, swapped)
    bench.expect(!bench.update(database, bench.object(bench.page(1))).isOwed, "coming from swap owes nothing")
    try bench.insert(database, bench.swapped(bench.page(2)))
    bench.expect(
      !bench.remove(database, bench.swapped(bench.page(2))).isOwed, "removing a swap entry owes nothing")
  }
}
