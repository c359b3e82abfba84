// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let mmapstress = ScenarioGroup("mmapstress", isComplete: true, mmapstressCases)

  private static let mmapstressCases: [ScenarioCase] = [
    ScenarioCase(
      "mmapstress01", "Many mappers of one file store side by side, and no byte is lost.",
      needs: Needs(cpus: 3)
    ) { p in
      let file = try p.file(size: 24 * page)
      var children: [Program] = []
      var places: [UInt64] = []
      for number in 0..<6 {
        let child = try p.fork()
        child.run(on: number % 3)
        places.append(try child.map(24, .shared, file: file))
        children.append(child)
      }
      for round in 0..<120 as Range<UInt64> {
        let lane = Int(round % 6)
        let number = round * 7 % 24
        children[lane].store(places[lane] + number * page + UInt64(lane), UInt8(lane) + 1)
        children[(lane + 1) % 6].expectLoad(
          places[(lane + 1) % 6] + number * page + UInt64(lane), UInt8(lane) + 1)
      }
      for child in children { child.exit() }
      for number in 0..<24 as Range<UInt64> {
        let lanes = (0..<6).map { lane in
          (0..<120 as Range<UInt64>).contains { $0 % 6 == lane && $0 * 7 % 24 == number }
            ? UInt8(lane) + 1 : 0
        }
        p.expectContents(file, at: number * page, lanes)
      }
    },
    ScenarioCase("mmapstress02", "The kernel reads into and writes from memory without rights neither.") {
      p in
      let file = try p.file("twelve bytes", size: 2 * page)
      let start = try p.setBreak(0)
      let at = try p.map(1, file: file, at: start, protection: [])
      p.expectErrno(.efault, when: "to read into it") { try p.read(file, into: at, 12, at: 0) }
      p.expectErrno(.efault, when: "to write from it") { try p.write(file, from: at, 12, at: 0) }
      p.expectContents(file, "twelve bytes")
      let pair = try p.map(2)
      try p.protect(pair + page, [])
      p.expect(try p.read(file, into: pair + page - 4, 12, at: 0), 4, "bytes up to where it is forbidden")
      p.expectLoads(pair + page - 4, "twel")
    },
    ScenarioCase(
      "mmapstress05", "Pages of a sparse file are mapped side by side in any order, and go one by one."
    ) { p in
      let file = try p.file(size: 2049 * page)
      for number in [0, 1024, 2048] as [UInt64] {
        try p.write(file, at: number * page, [UInt8(number / 1024) + 1])
      }
      let at: UInt64 = 0x40_0000_0000
      _ = try p.map(1, .shared, file: file, at: at + 2 * page, offset: 1024 * page)
      _ = try p.map(1, .shared, file: file, at: at, offset: 2048 * page)
      _ = try p.map(1, .shared, file: file, at: at + page)
      p.expectLayout(
        at,
        [
          .area(1, shared: true, offset: 2048 * page), .area(1, shared: true, offset: 0),
          .area(1, shared: true, offset: 1024 * page),
        ])
      for (index, byte) in [3, 1, 2].enumerated() as EnumeratedSequence<[UInt8]> {
        p.expectLoad(at + UInt64(index) * page, byte)
      }
      for place in [at + page, at + 2 * page, at] { try p.unmap(place) }
      p.expectLayout(at, [.hole(3)])
    },
    ScenarioCase(
      "mmapstress06", "Shared memory larger than what is free goes to swap, and comes back as it was.",
      needs: Needs(memory: 8 << 20, swapPages: 4096)
    ) { p in
      let at = try p.map(2500, .shared)
      p.fill(at, pages: 2500)
      p.expect(p.administration.usedSwap > 0, "swap is used")
      p.expectFilled(at, pages: 2500)
      try p.unmap(at, pages: 2500)
      p.expect(p.administration.usedSwap, 0, "slots in use afterwards")
    },
    ScenarioCase(
      "mmapstress07", "A hole in a file reads zero through a mapping, and shows what is written later."
    ) { p in
      let file = try p.file()
      let text = { (byte: UInt8) in Array(repeating: byte, count: 1000) }
      try p.write(file, text(97))
      try p.write(file, at: 6000, text(98))
      let at = try p.map(3, .shared, file: file, protection: .read)
      p.expectLoads(at, text(97))
      p.expectZero(at + 1000, bytes: 5000)
      p.expectSignal(.beyondEnd, .load, at + 2 * page)
      try p.write(file, at: 7000, text(99))
      try p.write(file, at: 9000, text(100))
      p.expectZero(at + 8000, bytes: 1000)
      try p.write(file, at: 1000, text(101))
      try p.call(.fsync, ["file": file])
      p.expect(p.size(file), 10_000, "the file's size")
      p.expectContents(file, text(97) + text(101) + Array(repeating: 0, count: 4000) + text(98) + text(99))
      p.expectLoads(at + 1000, text(101))
      p.expectLoads(at + 9000, text(100))
    },
    ScenarioCase("mmapstress08", "Mappings far apart go with one call, and so do their tables.") { p in
      // The room for tables that an address space keeps differs between drivers: the second time says what leaks.
      for round in 0..<2 {
        let free = p.host.freeFrames
        let start: UInt64 = 0x40_0000_0000
        for number in 0..<256 as Range<UInt64> {
          let at = start + number * (4 << 20)
          p.expect(try p.map(1, near: at), at, "the address of a free hint")
          p.store(at, UInt8(truncatingIfNeeded: number))
        }
        p.expectLoad(start + 255 * (4 << 20), 255)
        try p.unmap(start, bytes: 256 * (4 << 20))
        p.expect(p.areas.count, 0, "areas")
        p.expectSignal(.unmapped, .load, start + (4 << 20))
        if round == 1 { p.expect(p.host.freeFrames, free, "free frames") }
      }
    },
    ScenarioCase(
      "mmapstress09", "Shared memory keeps every child's bytes while children come and go.",
      needs: Needs(cpus: 2)
    ) { p in
      let at = try p.map(16, .shared)
      for round in 0..<30 as Range<UInt64> {
        let child = try p.fork()
        child.run(on: Int(round % 2))
        for number in stride(from: round % 5, to: 16, by: 5) as StrideTo<UInt64> {
          if round >= 5 { child.expectLoad(at + number * page + round % 5, UInt8(round) - 4) }
          child.store(at + number * page + round % 5, UInt8(round) + 1)
        }
        child.exit()
      }
      for number in 0..<16 as Range<UInt64> {
        p.expectLoad(at + number * page + number % 5, UInt8(26 + number % 5))
      }
    },
    ScenarioCase("mmapstress10", "Mappers of a growing file see what was written, and zeroes behind it.") {
      p in
      let file = try p.file()
      let child = try p.fork()
      let at = try child.map(3, .shared, file: file, protection: .read)
      child.expectSignal(.beyondEnd, .load, at)
      let piece = Array("twenty bytes of text".utf8)
      var size: UInt64 = 0
      for round in 0..<450 {
        try p.write(file, at: size, piece)
        size += 20
        guard round % 29 == 0 else { continue }
        child.expectLoads(at + size - 20, piece)
        if size % page < page - 8 { child.expectZero(at + size, bytes: 8) }
        let next = (size + page - 1) / page * page
        if next < 3 * page { child.expectSignal(.beyondEnd, .load, at + next) }
      }
      child.exit()
      p.expect(p.size(file), 9000, "the file's size")
      for round in stride(from: 0, to: 450, by: 13) { p.expectContents(file, at: UInt64(round) * 20, piece) }
    },
    ScenarioCase(
      "mmap-corruption01", "No page of a fresh file is lost, whatever reclaim and write-back do in between.",
      needs: Needs(memory: 5 << 20, swapPages: 1024)
    ) { p in
      for seed in [1, 60] as [UInt64] {
        let file = try p.file(size: 1600 * page)
        let at = try p.map(1600, .shared, file: file)
        p.fill(at, pages: 1600, seed: seed)
        try p.sync(at, pages: 1600, flags: 1)
        p.reclaim(pages: 500)
        p.expectFilled(at, pages: 1600, seed: seed)
        try p.unmap(at, pages: 1600)
        for number in stride(from: 0, to: 1600, by: 83) as StrideTo<UInt64> {
          p.expectContents(
            file, at: number * page + number * 13 % page, [UInt8(truncatingIfNeeded: number &+ seed) | 1])
        }
        p.close(file)
      }
    },
    ScenarioCase(
      "mmapstress.churn", "Parts mapped, protected and unmapped at random are what a list of pages says."
    ) { p in
      let start: UInt64 = 0x40_0000_0000
      var pages = [UInt8?](repeating: nil, count: 64)
      var state: UInt64 = 88_172_645_463_325_252
      func draw(_ count: UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 33) % count
      }
      for _ in 0..<120 {
        let first = draw(60)
        let count = draw(min(8, 64 - first)) + 1
        let at = start + first * page
        switch draw(3) {
        case 0:
          _ = try p.map(count, at: at)
          for number in first..<first + count { pages[Int(number)] = 0 }
        case 1:
          try p.unmap(at, pages: count)
          for number in first..<first + count { pages[Int(number)] = nil }
        default:
          for number in first..<first + count where pages[Int(number)] != nil {
            let byte = UInt8(draw(255)) + 1
            p.store(start + number * page + 9, byte)
            pages[Int(number)] = byte
          }
        }
        let probe = draw(64)
        if let byte = pages[Int(probe)] {
          p.expectLoad(start + probe * page + 9, byte)
        } else {
          p.expectSignal(.unmapped, .load, start + probe * page + 9)
        }
      }
      p.expect(p.mappedPages, UInt64(pages.count { $0 != nil }), "mapped pages")
    },
  ]
}
