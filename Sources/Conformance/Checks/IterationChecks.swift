// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference
internal import SimMemory

extension ContractSuite {
  /// Pages of all sizes with voids between them, in order of address.
  static func mixture<Database>(_ bench: ContractBench<Database>) -> [Database.Object] {
    var objects = [0, 1, 7, 8, 9, 300, 511].map { bench.object(bench.page($0)) }
    objects.append(bench.swapped(bench.page(400)))
    var cursor = bench.home
    for size in bench.hugeSizes {
      cursor = VirtualAddress((cursor.raw | size.mask) + 1).advanced(by: size.bytes)
      objects.append(bench.object(cursor, size))
      cursor = cursor.advanced(by: size.bytes)
      objects.append(bench.object(cursor))
    }
    return objects.sorted { $0.start < $1.start }
  }

  static func iterationChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck("IT-1", "IT-1 start", "An iterator starts at its range's start and ends at its end.") {
        bench in
        let database = try bench.makeDatabase()
        let range = VirtualRange(bench.page(3), bench.page(90))
        let iterator = database.makeIterator(over: range)
        bench.equal(iterator.position, range.start, "position")
        bench.equal(iterator.end, range.end, "end")
        database.endIteration(iterator)
      },
      ContractCheck(
        "IT-2", "IT-2 has next", "There is a next object exactly while the position is before the end."
      ) { bench in
        let database = try bench.makeDatabase()
        try bench.insert(database, bench.object(bench.page(3)))
        var iterator = database.makeIterator(over: VirtualRange(bench.page(3), bench.page(4)))
        bench.expect(database.hasNext(iterator), "a page in the range")
        _ = database.next(&iterator)
        bench.expect(!database.hasNext(iterator), "nothing behind the last page")
        let empty = database.makeIterator(over: VirtualRange(bench.page(3), bench.page(3)))
        bench.expect(!database.hasNext(empty), "nothing in an empty range")
      },
      ContractCheck(
        "IT-3", "IT-3 all objects", "next shows every object of a range once, in order, voids by their span."
      ) { bench in
        let database = try bench.makeDatabase()
        let objects = mixture(bench)
        try bench.insert(database, objects)
        let top = objects.last?.end ?? bench.home
        let starts =
          [bench.home, bench.page(1), bench.page(10)]
          + objects.filter { $0.size > .base }.map { $0.start.advanced(by: 0x3000) }
        for start in starts {
          let range = VirtualRange(start, VirtualAddress(top.raw + 0x5000))
          var seen: [Database.Object] = []
          var iterator = database.makeIterator(over: range)
          while database.hasNext(iterator) {
            let position = iterator.position
            let object = database.next(&iterator)
            bench.expect(object.span.contains(position), "an object that holds \(position)", object.summary)
            guard iterator.position == Swift.min(object.end, range.end) else {
              throw bench.stop("the position behind \(object.summary)", "\(iterator.position)")
            }
            if object.isMapped { seen.append(object) }
          }
          bench.same(seen, objects.filter { $0.end > start }, "objects from \(start)")
        }
      },
      ContractCheck("IT-4", "IT-4 skip", "skip moves on without looking, at most to the end.") { bench in
        let database = try bench.makeDatabase()
        let objects = (0..<20).map { bench.object(bench.page($0)) }
        try bench.insert(database, objects)
        var iterator = database.makeIterator(over: VirtualRange(bench.page(0), bench.page(20)))
        _ = database.next(&iterator)
        database.skip(&iterator, pages: 3)
        bench.equal(iterator.position, bench.page(4), "position after one page and skipping three")
        bench.same(database.next(&iterator), objects[4], "the object behind the skipped ones")
        database.skip(&iterator, pages: 0)
        bench.equal(iterator.position, bench.page(5), "position after skipping none")
        database.skip(&iterator, pages: 1000)
        bench.equal(iterator.position, bench.page(20), "position after skipping past the end")
        bench.expect(!database.hasNext(iterator), "nothing after skipping past the end")
      },
      ContractCheck(
        "IT-5", "IT-5 next mapped", "nextMapped shows the mapped objects only, and nil at the end."
      ) { bench in
        let database = try bench.makeDatabase()
        let objects = mixture(bench)
        try bench.insert(database, objects)
        let range = VirtualRange(bench.home, objects.last?.end ?? bench.home)
        bench.same(walk(database, range), objects, "mapped objects")
        for object in objects {
          bench.same(
            walk(database, VirtualRange(object.start, bytes: 0x1000)), [object], "the first page of an object"
          )
          let last = VirtualAddress(object.end.raw - 0x1000)
          bench.same(walk(database, VirtualRange(last, object.end)), [object], "the last page of an object")
        }
        bench.same(walk(database, VirtualRange(bench.page(10), bench.page(300))), [], "objects in a void")
      },
      ContractCheck("IT-6", "IT-6 end", "Ending an iteration early leaves everything usable.") { bench in
        let database = try bench.makeDatabase()
        try bench.insert(database, bench.object(bench.page(0)), bench.object(bench.page(1)))
        let range = VirtualRange(bench.page(0), bench.page(2))
        for _ in 0..<50 {
          var iterator = database.makeIterator(over: range)
          _ = database.next(&iterator)
          database.endIteration(iterator)
        }
        bench.equal(walk(database, range).count, 2, "objects after abandoned iterations")
        bench.expect(bench.remove(database, bench.object(bench.page(0))).error == nil, "a removal afterwards")
      },
    ]
  }

  static func walk<Database: TranslationDatabase>(_ database: Database, _ range: VirtualRange) -> [Database
    .Object]
  {
    var seen: [Database.Object] = []
    var iterator = database.makeIterator(over: range)
    while let object = database.nextMapped(&iterator), seen.count < 100_000 { seen.append(object) }
    database.endIteration(iterator)
    return seen
  }

  static func iterationUnderChangeChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "IT-3", "IT-3 insertions meanwhile",
        "Insertions ahead and behind neither repeat nor hide pages that were there before."
      ) { bench in
        try underChange(bench) { database, step, position in
          guard step < 300 else { return }
          let behind = position.raw >= bench.page(8).raw ? [position.raw - 0x8000] : []
          for raw in behind + [position.raw + 0x8000, bench.home.raw + (1 << 30) + step << 12] {
            let place = database.find(VirtualAddress(raw & ~0xFFF))
            if !place.isMapped {
              try bench.insert(database, bench.object(VirtualAddress(raw & ~0xFFF), shiftedBy: 1 << 20))
            }
          }
        }
      },
      ContractCheck(
        "IT-3", "IT-3 removals meanwhile",
        "Removing what was just seen, and things far ahead, hides nothing else."
      ) { bench in
        let extra = (1 << 18)..<(UInt64(1 << 18) + 64)
        try underChange(bench, extra: extra.map { bench.object(bench.page($0), shiftedBy: 1 << 20) }) {
          database, step, position in
          let seen = database.find(VirtualAddress(position.raw - 1))
          if seen.isMapped { _ = bench.remove(database, seen) }
          if step < 64 { _ = bench.remove(database, bench.object(bench.page(extra.lowerBound + step))) }
        }
      },
      ContractCheck(
        "IT-5", "IT-5 growth meanwhile",
        "Many insertions during one iteration (a table that grows) lose nothing."
      ) { bench in
        try underChange(bench) { database, step, _ in
          for number in 0..<16 {
            let far = VirtualAddress(bench.home.raw + (1 << 33) + (step * 16 + UInt64(number)) << 15)
            try bench.insert(database, bench.object(far, shiftedBy: 1 << 20))
          }
        }
      },
    ]
  }

  /// Iterates over pages with voids while `change` runs after every step; the pages that `change` does not touch are
  /// all seen, each once, in order. Frames above 2^20 mark the others.
  private static func underChange<Database>(
    _ bench: ContractBench<Database>, extra: [Database.Object] = [],
    _ change: (Database, UInt64, VirtualAddress) throws -> Void
  ) throws {
    let database = try bench.makeDatabase()
    let objects = (0..<120).map { bench.object(bench.page($0 * $0 % 37 + $0 * 40)) }.sorted {
      $0.start < $1.start
    }
    try bench.insert(database, objects + extra)
    var seen: [Database.Object] = []
    var step: UInt64 = 0
    var iterator = database.makeIterator(over: VirtualRange(bench.home, bytes: 1 << 31))
    while let object = database.nextMapped(&iterator) {
      if let last = seen.last, object.start <= last.start {
        throw bench.stop("objects in order", object.summary)
      }
      if object.frame.raw < 1 << 20 { seen.append(object) }
      try change(database, step, iterator.position)
      step += 1
      if step > 5000 { throw bench.stop("an end of the iteration", "5000 objects") }
    }
    database.endIteration(iterator)
    bench.same(seen, objects, "the pages that were there all the time")
  }
}
