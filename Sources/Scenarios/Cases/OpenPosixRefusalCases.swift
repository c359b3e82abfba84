// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  /// What mmap and munmap refuse.
  static let posixRefusals: [ScenarioCase] = [
    ScenarioCase("opts/mmap/9-1", "MAP_FIXED inside a page is refused.") { p in
      let file = try p.file(size: page)
      let at = try p.map(2, .shared, file: file)
      p.expectErrno(.einval) { try p.map(1, .shared, file: file, at: at + 1) }
      p.expectErrno(.einval, when: "anonymous too") { try p.map(1, at: at + page - 1) }
      p.expectLayout(at, [.area(2, shared: true, offset: 0)])
    },
    ScenarioCase("opts/mmap/11-1", "An offset inside a page is refused.") { p in
      let file = try p.file(size: 3 * page)
      for offset in [page + 1, 1, page - 1] as [UInt64] {
        p.expectErrno(.einval) { try p.map(1, .shared, file: file, offset: offset) }
      }
      let at = try p.map(1, .shared, file: file, offset: page)
      p.expectLayout(at, [.area(1, shared: true, offset: page)])
    },
    ScenarioCase("opts/mmap/18-1", "With future mappings locked, a mapping above the limit is refused.") {
      p in
      p.scratchIsMapped()
      p.user = 1000
      p.privileges = []
      try p.lockAll(2)
      try p.setLimit(.lockedMemory, 512 << 10)
      p.expectErrno(.eagain) { try p.map(bytes: 1 << 20) }
      p.expect(p.lockedPages, 0, "locked pages")
      p.expectSuccess("a mapping as large as the limit") { try p.map(bytes: 512 << 10) }
      p.expectErrno(.eagain) { try p.map(1) }
    },
    ScenarioCase("opts/mmap/19-1", "A descriptor of -1 is no file.") { p in
      p.expectErrno(.ebadf) { try p.map(1, .shared, file: .invalid) }
      p.expectErrno(.ebadf) { try p.map(1, .private, file: .invalid, protection: .read) }
      p.expectSuccess("anonymous memory, whose descriptor does not matter") { try p.map(1, .shared) }
    },
    ScenarioCase("opts/mmap/21-1", "All flags at once are refused, and types that do not exist.") { p in
      let file = try p.file(size: page)
      p.expectErrno(.einval) { try p.map(1, .none, file: file, flags: MapFlags(rawValue: .max)) }
      for type in [0, 4, 5, 6, 7, 9, 15] as [UInt64] {
        p.expectErrno(.einval, when: "for type \(type)") {
          try p.map(1, .none, file: file, flags: MapFlags(rawValue: type))
        }
      }
      p.expect(p.mappedPages, 0, "mapped pages")
    },
    ScenarioCase("opts/mmap/23-1", "A descriptor of what has no pages is not mapped.") { p in
      let process = Descriptor(Int(try p.call(.pidfdOpen, ["pid": UInt64(p.pid), "flags": 0])))
      p.expectErrno(.enodev) { try p.map(1, .shared, file: process, protection: .read) }
      p.expectErrno(.enodev) { try p.map(1, .private, file: process, protection: .read) }
    },
    ScenarioCase(
      "opts/mmap/24-1", "Mappings of one object come to an end with the limit of areas, and all work."
    ) { p in
      p.administration.maximumAreas = 100
      let file = try p.file("object", size: 1024, name: "/dev/shm/object")
      var places: [UInt64] = []
      while places.count < 200 {
        do { places.append(try p.map(1, .shared, file: file, bytes: 1024)) } catch {
          p.expect(error as? Errno, .enomem, "the refusal")
          break
        }
      }
      p.expect(places.count, 100, "mappings")
      for place in [places[0], places[50], places[99]] { p.expectLoads(place, "object") }
      try p.unmap(places[40])
      p.expectSuccess("one more, now that there is room") { try p.map(1, .shared, file: file, bytes: 1024) }
    },
    ScenarioCase(
      "opts/mmap/24-2", "More than the limit of addresses is not mapped, at a fixed place neither."
    ) { p in
      p.scratchIsMapped()
      let file = try p.file(size: page, name: "/dev/shm/object")
      let start: UInt64 = 0x40_0000_0000
      let limit = (p.mappedPages + 64) * page
      try p.setLimit(.addressSpace, limit)
      p.expectErrno(.enomem) { try p.map(limit >> 12, .shared, file: file, at: start) }
      p.expectErrno(.enomem) { try p.map(65, .shared, file: file, at: start) }
      _ = try p.map(64, .shared, file: file, at: start)
      p.expectErrno(.enomem) { try p.map(1) }
      p.expectSuccess("replacing what is mapped") { try p.map(64, at: start) }
    },
    ScenarioCase("opts/mmap/31-1", "A part of a file that no file could reach is refused.") { p in
      let file = try p.file(size: page)
      let most = UInt64(Int64.max) & ~(page - 1)
      for offset in [most, 0 &- page, 1 << 63, most - page] as [UInt64] {
        p.expectErrno(.eoverflow, when: "at \(offset.text)") {
          try p.map(2, .shared, file: file, offset: offset)
        }
      }
      let at = try p.map(1, .shared, file: file, offset: most - page)
      p.expectSignal(.beyondEnd, .load, at)
    },
    ScenarioCase("opts/mmap/32-1", "No length is refused, with a file and without.") { p in
      let file = try p.file(size: page)
      p.expectErrno(.einval) { try p.map(0, .shared, file: file) }
      p.expectErrno(.einval) { try p.map(0) }
      p.expectErrno(.enomem, when: "for a length that overflows") { try p.map(bytes: .max) }
    },
    ScenarioCase("opts/munmap/1-2", "What is unmapped cannot be stored to; the page behind it can.") { p in
      let file = try p.file(size: 2 * page, name: "/dev/shm/object")
      let at = try p.map(2, .shared, file: file)
      p.fill(at, pages: 2)
      try p.unmap(at)
      p.expectSignal(.unmapped, .store, at)
      p.expectSignal(.unmapped, .store, at + page - 1)
      p.expectAllowed(.store, at + page)
    },
    ScenarioCase("opts/munmap/2-1", "Unmapping where nothing is mapped succeeds.") { p in
      let zeroes = try p.open("/dev/zero")
      let at = try p.map(3, .private, file: zeroes, protection: [])
      try p.unmap(at, pages: 3)
      p.expectSuccess("unmapping twice") { try p.unmap(at, pages: 3) }
      p.expect(p.mappedPages, 0, "mapped pages")
    },
    ScenarioCase("opts/munmap/3-1", "An address inside a page is refused.") { p in
      let file = try p.file(size: 2 * page, name: "/dev/shm/object")
      let at = try p.map(2, .shared, file: file)
      for address in [at + 1, at + page - 1] {
        p.expectErrno(.einval) { try p.unmap(address) }
      }
      p.expectLayout(at, [.area(2, shared: true, offset: 0)])
    },
    ScenarioCase("opts/munmap/8-1", "Addresses that no program has are refused.") { p in
      p.expectErrno(.einval) { try p.unmap(.max, bytes: 4) }
      p.expectErrno(.einval, when: "at the last page") { try p.unmap(0 &- page) }
      p.expectErrno(.einval, when: "for a length behind all addresses") {
        try p.unmap(page, bytes: p.host.userEnd)
      }
    },
    ScenarioCase("opts/munmap/9-1", "No length is refused.") { p in
      let file = try p.file(size: page)
      let at = try p.map(1, .shared, file: file)
      p.expectErrno(.einval) { try p.unmap(at, bytes: 0) }
      p.expectErrno(.einval, when: "where nothing is mapped, too") { try p.unmap(at - page, bytes: 0) }
      p.expectLayout(at, [.area(1, shared: true, offset: 0)])
    },
  ]

  /// Behind the end of a file.
  static let posixEnds: [ScenarioCase] = [
    ScenarioCase("opts/mmap/11-2", "A store behind the page with the end of a file is a bus error.") { p in
      let file = try p.file(size: page / 2)
      let at = try p.map(2, .shared, file: file)
      try p.inChild { $0.expectSignal(.beyondEnd, .store, at + page) }
      p.expectSignal(.beyondEnd, .store, at + 2 * page - 1)
      p.expectAllowed(.store, at + page - 1)
      p.expect(p.size(file), page / 2, "the file's size")
    },
    ScenarioCase("opts/mmap/11-3", "A store behind the end of a shared-memory object is a bus error.") { p in
      let file = try p.file(size: page / 2, name: "/dev/shm/object")
      let at = try p.map(2, .shared, file: file)
      try p.inChild { $0.expectSignal(.beyondEnd, .store, at + page) }
      let empty = try p.file(name: "/dev/shm/empty")
      let nothing = try p.map(1, .shared, file: empty)
      p.expectSignal(.beyondEnd, .load, nothing)
    },
    ScenarioCase(
      "opts/mmap/11-5", "Behind the end a shared-memory object reads zero, and stores do not make it larger."
    ) {
      p in
      try p.expectTail(of: try p.file("half a page", size: page / 2, name: "/dev/shm/object"))
    },
    ScenarioCase(
      "opts/mmap/11-6", "Behind its end a file reads zero, and stores there do not make it larger."
    ) { p in
      try p.expectTail(of: try p.file("half a page", size: page / 2))
    },
  ]
}

extension Program {
  /// The rest of the page with a file's end.
  fileprivate func expectTail(of file: Descriptor) throws {
    let end = page / 2
    let at = try map(1, .shared, file: file, bytes: end)
    expectZero(at + end, bytes: page - end)
    store(at + end + 1, 98)
    try sync(at)
    expect(size(file), end, "the file's size")
    try unmap(at)
    expectContents(file, "half a page")
    expect(try read(file, page).count, Int(end), "bytes that can be read")
    expectContents(file, at: end - 100, Array(repeating: 0, count: 100))
  }

  /// Maps the room for structures, so that it does not count later.
  func scratchIsMapped() { _ = scratch() }
}
