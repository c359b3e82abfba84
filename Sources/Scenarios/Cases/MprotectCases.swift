// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let mprotect = ScenarioGroup("mprotect", isComplete: true, mprotectCases, mprotectOwnCases)

  private static let mprotectCases: [ScenarioCase] = [
    ScenarioCase("mprotect01", "Holes, addresses inside a page and forbidden rights are refused.") { p in
      p.expectErrno(.enomem, when: "where nothing is mapped") { try p.protect(0, bytes: page + 1, .read) }
      let at = try p.map(1)
      p.expectErrno(.einval, when: "inside a page") { try p.protect(at + 1, bytes: 1024, .read) }
      p.close(try p.file(size: page, name: "/tmp/readable"))
      let file = try p.open("/tmp/readable", .readOnly)
      let shared = try p.map(1, .shared, file: file, protection: .read)
      p.expectErrno(.eacces, when: "for a file opened for reading") { try p.protect(shared, .write) }
      p.expectLayout(shared, [.area(1, .read, shared: true)])
      let copy = try p.map(1, .private, file: file, protection: .read)
      p.expectSuccess("writing a private copy") { try p.protect(copy, [.read, .write]) }
    },
    ScenarioCase("mprotect02", "A store is refused until the right to it is given, then it succeeds.") { p in
      let file = try p.file(size: page)
      let at = try p.map(1, .shared, file: file, protection: .read)
      p.expectLoad(at, 0)
      try p.inChild { $0.expectSignal(.forbidden, .store, at) }
      try p.protect(at, .write)
      try p.inChild { $0.store(at, 5) }
      p.expectLoad(at, 5)
      p.store(at + 1, 6)
      p.expectContents(file, [5, 6])
    },
    ScenarioCase(
      "mprotect03", "Once the right to store is taken, a store is refused at once, in a child too."
    ) { p in
      let file = try p.file(size: page)
      let at = try p.map(1, .shared, file: file)
      p.store(at, 1)
      try p.protect(at, .read)
      p.expectSignal(.forbidden, .store, at)
      try p.inChild { $0.expectSignal(.forbidden, .store, at) }
      p.expectLoad(at, 1)
    },
    ScenarioCase(
      "mprotect04", "Without rights nothing is possible, not for the kernel either; code is fetched."
    ) { p in
      let at = try p.map(1)
      p.store(at, 195)
      try p.protect(at, [])
      for kind in [AccessKind.load, .store, .fetch] { p.expectSignal(.forbidden, kind, at) }
      let file = try p.file()
      p.expectErrno(.efault, when: "for a write from there") { try p.write(file, from: at, 16) }
      p.expect(p.size(file), 0, "the file's size")
      try p.protect(at, [.read, .execute])
      p.expectAllowed(.fetch, at)
      p.expectLoad(at, 195)
      p.expectSignal(.forbidden, .store, at)
      try p.protect(at, [.read, .write])
      p.expectSignal(.forbidden, .fetch, at)
    },
  ]

  private static let mprotectOwnCases: [ScenarioCase] = [
    ScenarioCase("mprotect.hole", "A hole stops a change of rights: what lies before it has changed.") { p in
      let at = try p.map(5)
      try p.unmap(at + 2 * page)
      p.expectErrno(.enomem) { try p.protect(at, pages: 5, .read) }
      p.expectLayout(at, [.area(2, .read), .hole(1), .area(2)])
      p.expectSignal(.forbidden, .store, at + page)
      p.expectAllowed(.store, at + 3 * page)
    },
    ScenarioCase(
      "mprotect.split", "Rights of the middle part an area in three, and the old rights join it again."
    ) { p in
      let at = try p.map(7)
      p.fill(at, pages: 7)
      try p.protect(at + 2 * page, pages: 3, .read)
      p.expectLayout(at, [.area(2), .area(3, .read), .area(2)])
      p.expectFilled(at, pages: 7)
      p.expectSignal(.forbidden, .store, at + 2 * page)
      p.expectSignal(.forbidden, .store, at + 4 * page)
      try p.protect(at + 2 * page, pages: 3, [.read, .write])
      p.expectLayout(at, [.area(7)])
      p.fill(at, pages: 7, seed: 50)
      p.expectFilled(at, pages: 7, seed: 50)
    },
    ScenarioCase("mprotect.huge", "Rights of a part of a huge page are that part's alone.") { p in
      let at = try p.map(1024, at: 0x80_0000_0000)
      p.fill(at, pages: 1024)
      try p.protect(at + 512 * page + 7 * page, pages: 2, .read)
      p.expectLayout(at, [.area(519), .area(2, .read), .area(503)])
      p.expectSignal(.forbidden, .store, at + 519 * page)
      p.expectSignal(.forbidden, .store, at + 520 * page)
      p.expectAllowed(.store, at + 518 * page)
      p.expectAllowed(.store, at + 521 * page)
      p.expectLoad(at + 1000 * page + 1000 * 13 % page, UInt8(truncatingIfNeeded: 1001) | 1)
    },
    ScenarioCase("mprotect.copy", "The right to store does not give a child its parent's page.") { p in
      let at = try p.map(2)
      p.fill(at, pages: 2)
      let child = try p.fork()
      try child.protect(at, pages: 2, .read)
      try child.protect(at, pages: 2, [.read, .write])
      child.fill(at, pages: 2, seed: 90)
      p.expectFilled(at, pages: 2)
      child.expectFilled(at, pages: 2, seed: 90)
      child.exit()
    },
  ]
}
