// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let mtest = ScenarioGroup("mtest", isComplete: true, stressMemory, stressMappings)

  /// Much memory, in many processes, written in odd orders.
  private static let stressMemory: [ScenarioCase] = [
    ScenarioCase(
      "mtest01", "Three children together fill most of the memory there is, and keep every byte.",
      needs: Needs(memory: 32 << 20)
    ) { p in
      let children = try (0..<3).map { _ in try p.fork() }
      let size = p.host.freeFrames / 4
      for child in children { p.expect(try child.map(size, at: base), base, "the address") }
      for child in children { child.fill(base, pages: size, seed: UInt64(child.pid) * 50) }
      for child in children { child.expectFilled(base, pages: size, seed: UInt64(child.pid) * 50) }
      for child in children { child.exit() }
    },
    ScenarioCase(
      "mmstress",
      "Threads on four CPUs fault in, copy and drop the same pages, with forks between, and lose no store.",
      needs: Needs(cpus: 4)
    ) { p in
      let file = try p.file(size: 16 * page)
      let zero = try p.open("/dev/zero")
      let places = [
        try p.map(16), try p.map(16, file: file), try p.map(16, .shared, file: file),
        try p.map(16, file: zero),
      ]
      let threads = try (0..<4).map { _ in try p.share() }
      for (cpu, thread) in threads.enumerated() { thread.run(on: cpu) }
      for round in 0..<4 as Range<UInt64> {
        for number in 0..<16 as Range<UInt64> {
          for (index, at) in places.enumerated() {
            let writer = threads[(Int(number) + index + Int(round)) % 4]
            let reader = threads[(Int(number) + index + Int(round) + 1) % 4]
            _ = reader.load(at + number * page + 8)
            writer.store(at + number * page + 8, UInt8(round * 16 + number + 1))
            reader.expectLoad(at + number * page + 8, UInt8(round * 16 + number + 1))
          }
        }
        try threads[Int(round)].inChild { child in
          child.expectLoad(places[0] + 3 * page + 8, UInt8(round * 16 + 4))
          child.store(places[0] + 3 * page + 8, 255)
          try child.execute()
        }
        try threads[3].advise(places[1], pages: 16, .dontNeed)
        threads[0].expectLoad(places[1] + 5 * page + 8, UInt8(round * 16 + 6))
      }
      for thread in threads { thread.exit() }
      p.expectLoad(places[0] + 3 * page + 8, 52)
    },
    ScenarioCase(
      "mallocstress", "The first word of every block keeps its number, however blocks grow and go."
    ) { p in
      let threads = try [p, p.share(), p.share()]
      var random = ScenarioRandom(5)
      var blocks: [(at: UInt64, pages: UInt64, number: UInt64)] = []
      for number in 1...90 as ClosedRange<UInt64> {
        let thread = threads[Int(number % 3)]
        if random.below(3) == 0, !blocks.isEmpty {
          let chosen = Int(random.below(UInt64(blocks.count)))
          let block = blocks[chosen]
          if random.below(2) == 0 {
            try thread.unmap(block.at, pages: block.pages)
            blocks.remove(at: chosen)
          } else {
            let pages = block.pages * 2
            blocks[chosen].at = try thread.remap(block.at, pages: block.pages, newPages: pages)
            blocks[chosen].pages = pages
          }
        } else {
          let pages = 1 + random.below(6)
          let at = try thread.map(pages)
          thread.storeWord(at, number, bytes: 4)
          blocks.append((at, pages, number))
        }
      }
      for block in blocks {
        p.expect(p.loadWord(block.at, bytes: 4), block.number, "the first word of a block")
      }
      for thread in threads.dropFirst() { thread.exit() }
    },
    ScenarioCase(
      "mem02", "New memory of the heap is zero, what is stored stays, and growing by moving keeps it."
    ) { p in
      let start = try p.setBreak(0)
      try p.setBreak(start + 16 * page)
      p.expectZero(start, bytes: 16 * page)
      p.fill(start, pages: 16)
      try p.setBreak(start + 4 * page)
      try p.setBreak(start + 16 * page)
      p.expectFilled(start, pages: 4)
      p.expectZero(start + 4 * page, bytes: 12 * page)
      let at = try p.map(4)
      p.fill(at, pages: 4)
      let more = try p.remap(at, pages: 4, newPages: 64)
      p.expectFilled(more, pages: 4)
      p.expectZero(more + 4 * page, bytes: 60 * page)
      let less = try p.remap(more, pages: 64, newPages: 2)
      p.expect(less % page, 0, "the address within a page")
      p.expectFilled(less, pages: 2)
    },
    ScenarioCase(
      "page01", "Twenty processes write ascending words at the same addresses, and none reads another's."
    ) { p in
      _ = try p.map(24, at: base)
      let children = try (0..<20).map { _ in try p.fork() }
      for child in children {
        for number in 0..<24 as Range<UInt64> {
          child.storeWord(base + number * page + 8, UInt64(child.pid) << 8 | number, bytes: 2)
        }
      }
      for child in children {
        for number in 0..<24 as Range<UInt64> {
          p.expect(
            child.loadWord(base + number * page + 8, bytes: 2), UInt64(child.pid) << 8 | number, "a word")
        }
        child.exit()
      }
      p.expectZero(base, bytes: 24 * page)
    },
    ScenarioCase("page02", "Five processes write from the middle outwards, and every word keeps its value.") {
      p in
      _ = try p.map(32, at: base)
      let middle = base + 16 * page
      let children = try (0..<5).map { _ in try p.fork() }
      for step in 0..<16 as Range<UInt64> {
        for child in children {
          child.store(middle + step * page, UInt8(step + 1))
          child.store(middle - (step + 1) * page, UInt8(step + 101))
        }
      }
      for child in children {
        for step in 0..<16 as Range<UInt64> {
          child.expectLoad(middle + step * page, UInt8(step + 1))
          child.expectLoad(middle - (step + 1) * page, UInt8(step + 101))
        }
        child.exit()
      }
    },
    ScenarioCase(
      "data_space", "Chunks of the heap that are rewritten in any order have what was written last."
    ) { p in
      let start = try p.setBreak(0)
      try p.setBreak(start + 32 * page)
      let children = try (0..<4).map { _ in try p.fork() }
      for child in children { child.rewriteChunks(start, bytes: 32 * page) }
      for child in children { child.exit() }
      p.expectZero(start, bytes: 32 * page)
    },
    ScenarioCase(
      "stack_space", "Chunks of a growing stack that are rewritten in any order have what was written last."
    ) { p in
      let top: UInt64 = 0x70_0000_0000
      _ = try p.map(1, at: top - page, flags: [.growsDown, .stack])
      let children = try (0..<4).map { _ in try p.fork() }
      for child in children { child.rewriteChunks(top - 24 * page, bytes: 24 * page) }
      for child in children { child.exit() }
      p.expectLayout(top - 2 * page, [.hole(1), .area(1)])
    },
  ]

  /// Mappings that come and go under those who use them.
  private static let stressMappings: [ScenarioCase] = [
    ScenarioCase(
      "mmap1", "A reader sees a mapping's bytes as long as it is there, and nothing afterwards.",
      needs: Needs(cpus: 2)
    ) { p in
      let files = [try p.file("aaaa", size: page), try p.file("bbbb", size: page)]
      let reader = try p.share()
      reader.run(on: 1)
      for round in 0..<16 {
        reader.expectSignal(.unmapped, .load, base)
        _ = try p.map(1, .shared, file: files[round % 2], at: base, protection: .read)
        if round % 3 != 0 { reader.expectLoad(base, round % 2 == 0 ? 97 : 98) }
        if round % 4 == 0 {
          _ = try p.map(1, .shared, file: files[1 - round % 2], at: base, protection: .read)
          reader.expectLoad(base + 3, round % 2 == 0 ? 98 : 97)
        }
        try p.unmap(base)
      }
      reader.exit()
    },
    ScenarioCase(
      "mmap2", "A large file is mapped, written, brought to storage and unmapped, again and again."
    ) { p in
      let file = try p.file(size: 400 * page)
      for round in 0..<3 as Range<UInt64> {
        let at = try p.map(400, .shared, file: file)
        p.fill(at, pages: 400, seed: round)
        try p.sync(at, pages: 400)
        try p.unmap(at, pages: 400)
        for number in stride(from: 0, to: 400, by: 23) as StrideTo<UInt64> {
          let byte = UInt8(truncatingIfNeeded: number + round) | 1
          p.expectContents(file, at: number * page + number * 13 % page, [byte])
        }
      }
      let zero = try p.open("/dev/zero")
      let at = try p.map(64, file: zero)
      p.expectZero(at, bytes: 64 * page)
      p.fill(at, pages: 64)
      p.expectFilled(at, pages: 64)
    },
    ScenarioCase(
      "mmap3", "Threads that map files of many sizes never get a signal, nor another's bytes.",
      needs: Needs(cpus: 4)
    ) { p in
      let threads = try (0..<4).map { _ in try p.share() }
      var random = ScenarioRandom(8)
      for (cpu, thread) in threads.enumerated() { thread.run(on: cpu) }
      for round in 0..<6 as Range<UInt64> {
        let maps = try threads.map { thread in
          let size = 1 + random.below(30)
          let file = try thread.file(size: size * page)
          let at = try thread.map(size, .shared, file: file)
          thread.close(file)
          return (at, size)
        }
        for (thread, (at, size)) in zip(threads, maps) {
          thread.fill(at, pages: size, seed: UInt64(thread.pid) * 40 + round)
        }
        for (thread, (at, size)) in zip(threads, maps) {
          thread.expectFilled(at, pages: size, seed: UInt64(thread.pid) * 40 + round)
          try thread.unmap(at, pages: size)
        }
      }
      for thread in threads { thread.exit() }
    },
    ScenarioCase(
      "shm_test", "Writers and readers attach, use and detach segments in turn, and read what was written.",
      needs: Needs(cpus: 2)
    ) { p in
      let reader = try p.share()
      reader.run(on: 1)
      for round in 0..<8 as Range<UInt64> {
        let size = 1 + round * 3
        let segment = try p.segment(bytes: size * page)
        let mine = try p.attach(segment)
        p.fill(mine, pages: size, seed: round)
        let theirs = try reader.attach(segment, flags: 0o10000)
        reader.expectFilled(theirs, pages: size, seed: round)
        try p.removeSegment(segment)
        try p.detach(mine)
        reader.expectFilled(theirs, pages: size, seed: round)
        try reader.detach(theirs)
      }
      reader.exit()
      p.expect(p.administration.segments.count, 0, "segments")
    },
    ScenarioCase("mtest.sparse", "Pages far apart in a large address space each keep their byte.") { p in
      let places = (0..<40).map { 1 << 30 + UInt64($0) * ((1 << 41) + 37 * page) }
      for (number, at) in places.enumerated() {
        _ = try p.map(1, at: at)
        p.store(at + UInt64(number), UInt8(number + 1))
      }
      for (number, at) in places.enumerated() { p.expectLoad(at + UInt64(number), UInt8(number + 1)) }
      for at in places { p.expectSignal(.unmapped, .load, at + page) }
    },
  ]

  private static let base: UInt64 = 0xD0_0000_0000
}

extension Program {
  /// Rewrites chunks in any order, and checks each before it is written again, and all at the end.
  fileprivate func rewriteChunks(_ start: UInt64, bytes: UInt64) {
    let chunk: UInt64 = 512
    var random = ScenarioRandom(UInt64(pid))
    var expected = [UInt64: UInt8]()
    for step in 0..<60 as Range<UInt64> {
      let at = start + random.below(bytes / chunk) * chunk
      for place in [0, 200, chunk - 1] { expectLoad(at + place, expected[at] ?? 0) }
      expected[at] = UInt8(step + UInt64(pid))
      for place in [0, 200, chunk - 1] { store(at + place, UInt8(step + UInt64(pid))) }
    }
    for (at, byte) in expected.sorted(by: { $0.key < $1.key }) { expectLoad(at + 200, byte) }
  }
}
