// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  /// Mappings of files: contents, ends, rights of descriptors.
  static let mmapFiles: [ScenarioCase] = [
    ScenarioCase(
      "mmap01", "Behind the end of a file its last page reads zero, and stores there never reach it."
    ) { p in
      let file = try p.file("twelve bytes")
      let at = try p.map(1, .shared, file: file)
      p.expectLoads(at, "twelve bytes")
      p.expectZero(at + 12, bytes: page - 12)
      p.store(at + 12, "lost")
      try p.sync(at)
      p.expect(p.size(file), 12, "the file's size")
      p.expectContents(file, "twelve bytes")
      p.expect(try p.read(file, 100).count, 12, "bytes that can be read")
    },
    ScenarioCase("mmap02", "A file opened for reading can be mapped shared for reading, and shows its bytes.")
    { p in
      p.close(try p.file("a page of text", size: page, name: "/tmp/readable"))
      let file = try p.open("/tmp/readable", .readOnly)
      let at = try p.map(1, .shared, file: file, protection: .read)
      p.expectLoads(at, "a page of text")
      p.expectZero(at + page - 64, bytes: 64)
      p.expectSignal(.forbidden, .store, at)
    },
    ScenarioCase("mmap03", "What is mapped for execution only can be fetched, and loaded only without keys.")
    { p in
      p.close(try p.file("code", size: page, name: "/tmp/code"))
      let file = try p.open("/tmp/code", .readOnly)
      try p.inChild { child in
        let at = try child.map(1, .shared, file: file, protection: .execute)
        child.expectAllowed(.fetch, at)
        child.expectSignal(.keyForbids, .load, at)
        child.expectSignal(.segv, .store, at)
      }
      p.administration.hasProtectionKeys = false
      let at = try p.map(1, .shared, file: file, protection: .execute)
      p.expectAllowed(.fetch, at)
      p.expectLoads(at, "code")
      p.expectSignal(.forbidden, .store, at)
      p.expectContents(file, "code")
    },
    ScenarioCase("mmap05", "A mapping without rights refuses every access, and the file is untouched.") { p in
      let file = try p.file("secret")
      let at = try p.map(1, .shared, file: file, protection: [])
      for kind in [AccessKind.load, .store, .fetch] { p.expectSignal(.forbidden, kind, at) }
      p.expect(p.presentPages(at, pages: 1), 0, "pages that came into memory")
      p.expectContents(file, "secret")
    },
    ScenarioCase(
      "mmap06", "A descriptor that cannot be read maps nothing; neither does no length or no type."
    ) { p in
      p.close(try p.file(size: page, name: "/tmp/written"))
      let file = try p.open("/tmp/written", .writeOnly)
      for sharing in [Sharing.private, .shared] {
        for rights in [Rights.write, .read, [.read, .write]] {
          p.expectErrno(.eacces, when: "for \(rights.text), \(sharing)") {
            try p.map(1, sharing, file: file, bytes: 1024, protection: rights)
          }
        }
      }
      let readable = try p.open("/tmp/written")
      p.expectErrno(.einval, when: "for no length") { try p.map(file: readable, bytes: 0) }
      p.expectErrno(.einval, when: "without a type") { try p.map(1, .none, file: readable) }
      p.expect(p.mappedPages, 0, "mapped pages")
    },
    ScenarioCase("mmap08", "A closed descriptor maps nothing.") { p in
      let file = try p.file(size: page)
      p.close(file)
      p.expectErrno(.ebadf) { try p.map(1, .shared, file: file, protection: .write) }
      p.expectErrno(.ebadf) { try p.map(1, .private, file: .invalid) }
      p.expectErrno(.enodev, when: "for a directory") { try p.map(1, file: p.openUnmappable()) }
    },
    ScenarioCase("mmap09", "Truncation takes pages out of mappings at once; what grows again is zero.") { p in
      let file = try p.file(size: 16 * page)
      let at = try p.map(16, .shared, file: file)
      for number in 0..<16 as Range<UInt64> { p.store(at + number * page, 65) }
      try p.truncate(file, 14 * page)
      p.expectSignal(.beyondEnd, .load, at + 14 * page)
      p.expectSignal(.beyondEnd, .store, at + 15 * page)
      p.expectLoad(at + 13 * page, 65)
      try p.truncate(file, 16 * page + 1024)
      p.expectZero(at + 14 * page, bytes: 2 * page)
      p.expectLoad(at, 65)
      try p.truncate(file, 0)
      p.expectSignal(.beyondEnd, .load, at)
      p.expect(p.presentPages(at, pages: 16), 0, "pages in memory")
      try p.truncate(file, page)
      p.expectZero(at, bytes: page)
    },
    ScenarioCase("mmap12", "MAP_POPULATE brings every page in, so that no access faults.") { p in
      let file = try p.file(size: 256 * page)
      let at = try p.map(256, file: file, flags: .populate)
      p.expect(p.presentPages(at, pages: 256), 256, "pages in memory before any access")
      p.expectFaults { p.expectZero(at, bytes: 256 * page) }
      p.expectFaults { p.fill(at, pages: 256) }
      p.expectZeroFile(file, pages: 256)
    },
    ScenarioCase("mmap13", "Behind the page with the end of the file an access is a bus error.") { p in
      let file = try p.file(size: page / 2)
      let at = try p.map(2, .shared, file: file)
      p.expectAllowed(.store, at + page - 1)
      p.expectSignal(.beyondEnd, .store, at + page)
      p.expectSignal(.beyondEnd, .load, at + page)
      try p.truncate(file, page + 1)
      p.expectAllowed(.store, at + page)
    },
    ScenarioCase("mmap20", "MAP_SHARED_VALIDATE refuses flags that nobody knows; MAP_SHARED ignores them.") {
      p in
      let file = try p.file(size: 1024)
      let unknown = MapFlags(rawValue: 1 << 10)
      p.expectErrno(.eopnotsupp) { try p.map(1, .validated, file: file, flags: unknown) }
      p.expect(p.mappedPages, 0, "mapped pages")
      let at = try p.map(1, .validated, file: file)
      p.expectLayout(at, [.area(1, shared: true, offset: 0)])
      _ = try p.map(1, .shared, file: file, flags: unknown)
    },
    ScenarioCase("mmap21", "What a child stores through a shared mapping is what reading the file finds.") {
      p in
      let file = try p.file(size: 1000 * page)
      let at = try p.map(1000, .shared, file: file, protection: .write)
      try p.inChild { child in
        child.fill(at, pages: 1000)
        try child.sync(at, pages: 1000)
      }
      p.expectFilled(at, pages: 1000)
      for number in stride(from: 0, to: 1000, by: 37) as StrideTo<UInt64> {
        let offset = number * page + number * 13 % page
        p.expectContents(file, at: offset, [UInt8(truncatingIfNeeded: number + 1) | 1])
      }
    },
  ]
}

extension Program {
  /// The first byte of every page of a file is zero.
  fileprivate func expectZeroFile(_ file: Descriptor, pages: UInt64) {
    for number in 0..<pages { expectContents(file, at: number * page, [0]) }
  }
}
