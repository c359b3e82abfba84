// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference
internal import SimMemory

extension ContractSuite {
  static func hugePageChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "HP-7", "HP-7 eligible",
        "A page is eligible when its size is offered and it is aligned, inside the mapping, and void."
      ) { bench in
        let database = try bench.makeDatabase()
        let everywhere = VirtualRange(bench.home, bytes: 1 << 38)
        for size in bench.hugeSizes {
          let page = VirtualRange(bench.home.advanced(by: size.bytes), bytes: size.bytes)
          bench.expect(
            database.isEligible(size, for: page, in: everywhere), "a void page of \(size) is eligible")
          bench.expect(database.isEligible(size, for: page, in: page), "a mapping may be just the page")
          let short = VirtualRange(page.start, VirtualAddress(page.end.raw - 0x1000))
          bench.expect(
            !database.isEligible(size, for: page, in: short), "a page that leaves the mapping is not")
          let shifted = VirtualRange(page.start.advanced(by: 0x1000), bytes: size.bytes)
          bench.expect(!database.isEligible(size, for: shifted, in: everywhere), "an unaligned page is not")
          let odd = PageSize(shift: size.shift - 1)
          if !bench.sizes.contains(odd) {
            bench.expect(
              !database.isEligible(odd, for: VirtualRange(page.start, bytes: odd.bytes), in: everywhere),
              "\(odd) is not offered")
          }
          let last = bench.object(VirtualAddress(page.end.raw - 0x1000))
          try bench.insert(database, last)
          bench.expect(
            !database.isEligible(size, for: page, in: everywhere), "a page with something mapped is not")
          _ = bench.remove(database, last)
          bench.expect(database.isEligible(size, for: page, in: everywhere), "it is again when that is gone")
        }
      },
      ContractCheck("HP-8", "HP-8 smaller size", "The sizes are walked down one by one.") { bench in
        let database = try bench.makeDatabase()
        for (index, size) in bench.sizes.enumerated() {
          bench.equal(
            database.smallerSize(than: size), index > 0 ? bench.sizes[index - 1] : nil, "below \(size)")
        }
      },
      ContractCheck(
        "HP-9", "HP-9 insert run",
        "A run maps consecutive pages over consecutive frames and replaces what is there."
      ) { bench in
        for size in bench.sizes where size <= .twoMiB {
          let database = try bench.makeDatabase()
          var prototype = bench.object(bench.home.advanced(by: size.bytes * 3), size)
          prototype.isSoftDirty = true
          let range = VirtualRange(bench.home, bytes: size.bytes * 700)
          let first = bench.range(database) { () throws(RangeFailure) in
            try database.insertRun(prototype, count: 600)
          }
          bench.expect(first.failure == nil && !first.isOwed, "a run over a void succeeds and owes nothing")
          let expected = (0..<600).map { database.copy(of: prototype, movedBy: UInt64($0) * size.bytes) }
          try bench.state(database, range, is: expected, "the run")
          var readOnly = database.copy(of: prototype, movedBy: size.bytes * 10)
          readOnly.isWritable = false
          let second = bench.range(database) { () throws(RangeFailure) in
            try database.insertRun(readOnly, count: 5)
          }
          bench.expect(
            second.isOwed && second.flushed.contains(VirtualRange(readOnly.start, bytes: size.bytes * 5)),
            "replacing present pages owes their flush")
          var mixed = expected
          for step in 0..<5 {
            mixed[10 + step] = database.copy(of: readOnly, movedBy: UInt64(step) * size.bytes)
          }
          try bench.state(database, range, is: mixed, "the run with its replaced part")
          let nothing = bench.range(database) { () throws(RangeFailure) in
            try database.insertRun(readOnly, count: 0)
          }
          bench.expect(nothing.failure == nil && !nothing.isOwed, "an empty run does nothing")
        }
      },
      ContractCheck(
        "HP-9", "HP-9 run into huge",
        "A run stops at the first page that is in conflict: before it all is done, behind it nothing."
      ) { bench in
        for huge in bench.hugeSizes {
          let database = try bench.makeDatabase()
          let obstacle = bench.object(bench.home.advanced(by: huge.bytes), huge)
          try bench.insert(database, obstacle)
          let first = bench.object(VirtualAddress(obstacle.start.raw - 0x3000))
          let outcome = bench.range(database) { () throws(RangeFailure) in
            try database.insertRun(first, count: 10)
          }
          bench.equal(
            outcome.failure,
            RangeFailure(
              firstNotDone: obstacle.start, reason: .sizeConflict(existing: obstacle.start, size: huge)),
            "the run")
          let done = (0..<3).map { database.copy(of: first, movedBy: UInt64($0) << 12) }
          try bench.state(
            database, VirtualRange(bench.home, obstacle.end), is: done + [obstacle], "afterwards")
        }
      },
      ContractCheck(
        "HP-9", "HP-9 run without memory", "A run that runs out of memory says exactly how far it got."
      ) { bench in
        let first = bench.object(VirtualAddress(bench.home.raw - 0x5000 + (2 << 20)))
        let range = VirtualRange(bench.home, bytes: 8 << 20)
        var failure: RangeFailure?
        try bench.starve(range, "a run") { _ in
        } _: { database in
          failure =
            bench.range(database) { () throws(RangeFailure) in try database.insertRun(first, count: 1030) }
            .failure
          return failure?.reason
        } afterFailure: { database, _ in
          let done = failure.map { ($0.firstNotDone.raw - first.start.raw) >> 12 } ?? 0
          let expected = (0..<done).map { database.copy(of: first, movedBy: $0 << 12) }
          try bench.state(database, range, is: expected, "the pages before the first one not done")
        }
      },
    ]
  }

  static func splitChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "HP-10", "HP-10 split", "A split leaves the same translations in the next smaller size, and flushes."
      ) { bench in
        for huge in bench.hugeSizes {
          let database = try bench.makeDatabase()
          bench.run(database, on: 1)
          var object = bench.object(bench.home.advanced(by: huge.bytes), huge)
          object.isDirty = true
          object.isAccessed = true
          object.cacheMode = .uncachedMinus
          try bench.insert(database, object)
          _ = bench.drain(1)
          do throws(TranslationError) { try database.split(object) } catch {
            throw bench.stop("\(huge) is split", "\(error)")
          }
          try bench.state(
            database, VirtualRange(bench.home, bytes: huge.bytes * 3), is: parts(of: object, database),
            "the parts")
          let requests = bench.drain(1)
          bench.expect(
            bench.covers(requests, object.start, of: database),
            "the split is flushed on the CPU that runs on it")
          bench.run(bench.service.kernelDatabase, on: 1)
        }
      },
      ContractCheck("HP-10", "HP-10 split without memory", "Without memory the huge page is as before.") {
        bench in
        for huge in bench.hugeSizes {
          let object = bench.object(bench.home, huge)
          try bench.starve(object.span, "a split of \(huge)") {
            try bench.insert($0, object)
          } _: { database in
            do throws(TranslationError) { try database.split(object) } catch { return error }
            return nil
          }
        }
      },
      ContractCheck("HP-10", "HP-10 split refusals", "Base pages and voids cannot be split.") { bench in
        let database = try bench.makeDatabase()
        let small = bench.object(bench.home)
        try bench.insert(database, small)
        bench.fails(with: .unsupportedSize(.base), "splitting a base page") { () throws(TranslationError) in
          try database.split(small)
        }
        for huge in bench.hugeSizes {
          let absent = bench.object(bench.home.advanced(by: huge.bytes), huge)
          bench.fails(with: .notMapped, "splitting a void") { () throws(TranslationError) in
            try database.split(absent)
          }
        }
        try bench.state(database, VirtualRange(bench.home, bytes: 4 << 20), is: [small], "afterwards")
      },
      ContractCheck(
        "HP-11", "HP-11 collapse",
        "A collapse shows every present object to the copier, flushes before that, and leaves the huge page."
      ) { bench in
        for huge in bench.hugeSizes {
          let database = try bench.makeDatabase()
          bench.run(database, on: 2)
          let old = someParts(bench, huge)
          try bench.insert(database, old)
          let page = bench.object(bench.home, huge, shiftedBy: 1 << 9)
          _ = bench.drain(2)
          var shown: [Database.Object] = []
          var isFlushed = true
          do throws(TranslationError) {
            try database.collapse(into: page) { object in
              if shown.isEmpty { isFlushed = bench.covers(bench.drain(2), object.start, of: database) }
              shown.append(object)
              return true
            }
          } catch { throw bench.stop("the collapse succeeds", "\(error)") }
          bench.expect(isFlushed, "access is revoked and flushed before contents are copied")
          bench.same(shown, old.filter(\.isPresent), "the objects shown to the copier")
          try bench.state(
            database, VirtualRange(bench.home, bytes: huge.bytes * 2), is: [page], "the huge page")
          bench.run(bench.service.kernelDatabase, on: 2)
        }
      },
      ContractCheck(
        "HP-11", "HP-11 collapse refused",
        "When the copier refuses, or memory or size forbid it, the old objects are back."
      ) { bench in
        for huge in bench.hugeSizes {
          let page = bench.object(bench.home, huge, shiftedBy: 1 << 9)
          let range = VirtualRange(bench.home, bytes: huge.bytes * 2)
          let old = someParts(bench, huge)
          for refusedAt in 0..<3 {
            let database = try bench.makeDatabase()
            try bench.insert(database, old)
            var seen = -1
            bench.fails(with: .refusedByCaller, "a copier that refuses at \(refusedAt)") {
              () throws(TranslationError) in
              try database.collapse(into: page) { _ in
                seen += 1
                return seen < refusedAt
              }
            }
            try bench.state(database, range, is: old, "after the refusal")
          }
          let database = try bench.makeDatabase()
          try bench.insert(database, page)
          bench.fails(with: .sizeConflict(existing: page.start, size: huge), "collapsing a huge page") {
            () throws(TranslationError) in
            try database.collapse(into: page) { _ in true }
          }
          try bench.state(database, range, is: [page], "after the conflict")
          try bench.starve(range, "a collapse to \(huge)") {
            try bench.insert($0, old)
          } _: { database in
            do throws(TranslationError) { try database.collapse(into: page) { _ in true } } catch {
              return error
            }
            return nil
          }
        }
      },
      ContractCheck(
        "HP-12", "HP-12 prepare", "Preparing a split changes no translation, and the split works afterwards."
      ) { bench in
        for huge in bench.hugeSizes {
          let database = try bench.makeDatabase()
          let object = bench.object(bench.home, huge)
          try bench.insert(database, object)
          do throws(TranslationError) {
            try database.prepareForSplit(object.span)
            try database.prepareForSplit(object.span)
          } catch { bench.fail("preparing succeeds", "\(error)") }
          try bench.state(database, object.span, is: [object], "after preparing")
          do throws(TranslationError) { try database.split(object) } catch {
            throw bench.stop("the split", "\(error)")
          }
          try bench.state(database, object.span, is: parts(of: object, database), "after the split")
        }
      },
    ]
  }

  static func parts<Database: TranslationDatabase>(
    of object: Database.Object, _ database: Database
  ) -> [Database.Object] {
    guard let smaller = database.context.pageSizes.smaller(than: object.size) else { return [] }
    let first = object.relocated(to: object.start, size: smaller, physicalAddress: object.physicalAddress)
    return (0..<object.size.bytes / smaller.bytes).map {
      database.copy(of: first, movedBy: $0 * smaller.bytes)
    }
  }

  /// A few small objects inside the first page of `huge`, one of them in swap.
  private static func someParts<Database>(_ bench: ContractBench<Database>, _ huge: PageSize) -> [Database
    .Object]
  {
    var dirty = bench.object(bench.page(2))
    dirty.isDirty = true
    let last = bench.object(VirtualAddress(bench.home.raw + huge.bytes - 0x1000))
    return [
      bench.object(bench.page(0)), dirty, bench.swapped(bench.page(3)), bench.object(bench.page(9)), last,
    ]
  }
}
