// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let userfaultfd = ScenarioGroup(
    "userfaultfd", isComplete: true, userfaultCases, userfaultOwnCases)

  /// A reader waits for a page, and gets the bytes that the monitor copies.
  private static func copies(_ p: Program, _ watch: Watch) throws {
    let at = try p.map(8)
    let source = try p.map(1)
    for offset in stride(from: 0, to: page, by: 61) { p.store(source + offset, UInt8(offset % 251)) }
    try watch.register(at, pages: 8, .missing)
    p.expectWaits(.missing, .load, at + 5 * page + 7)
    p.expectWaits(.missing, .load, at + 5 * page + 7)
    watch.expectFault(at + 5 * page, .missing)
    watch.expectEvent(nil)
    p.expect(p.isWaiting(at + 5 * page), true, "the reader waits")
    try watch.copy(at + 5 * page, from: source)
    p.expect(watch.answer(4), page, "bytes that were copied")
    p.expect(p.isWaiting(at + 5 * page), false, "the reader waits after the copy")
    for offset in stride(from: 0, to: page, by: 61) {
      p.expectLoad(at + 5 * page + offset, UInt8(offset % 251))
    }
    p.store(at + 5 * page, 200)
    p.expectLoad(source, 0)
    p.expectErrno(.eexist, when: "where there is a page") { try watch.copy(at + 5 * page, from: source) }
    p.expectWaits(.missing, .store, at)
    watch.expectFault(at, .missing, isStore: true)
    try watch.copy(at, from: source, mode: 1)
    p.expect(p.isWaiting(at), true, "the writer waits until it is woken")
    try watch.wake(at)
    p.expect(p.isWaiting(at), false, "the writer waits after it was woken")
    p.expectAllowed(.store, at)
    try p.advise(at, .dontNeed)
    p.expectWaits(.missing, .load, at)
  }

  private static let userfaultCases: [ScenarioCase] = [
    ScenarioCase(
      "userfaultfd01",
      "A missing page makes its reader wait; the event says where, and UFFDIO_COPY's bytes are seen."
    ) { p in
      try copies(p, try p.watch())
      p.user = 1000
      p.privileges = []
      p.expectErrno(.eperm, when: "for faults of the kernel without the privilege") { try p.watch() }
      try copies(p, try p.watch(flags: 1))
    },
    ScenarioCase(
      "userfaultfd02",
      "UFFDIO_MOVE moves a page: it resolves the fault with its bytes and leaves its old place."
    ) { p in
      let at = try p.map(8)
      let source = try p.map(4)
      for number in 0..<3 as Range<UInt64> { p.store(source + number * page + 5, UInt8(number) + 41) }
      let watch = try p.watch()
      try watch.register(at, pages: 8, .missing)
      p.expectWaits(.missing, .load, at + 2 * page + 5)
      watch.expectFault(at + 2 * page, .missing)
      let pages = p.residentPages
      try watch.move(at + 2 * page, from: source)
      p.expect(watch.answer(4), page, "bytes that were moved")
      p.expect(p.residentPages, pages, "resident pages after the move")
      p.expect(p.isWaiting(at + 2 * page), false, "the reader waits after the move")
      p.expectLoad(at + 2 * page + 5, 41)
      p.expectLoad(source + 5, 0)
      p.expectErrno(.eexist, when: "where there is a page") {
        try watch.move(at + 2 * page, from: source + 2 * page)
      }
      p.expectErrno(.enoent, when: "from where there is none") { try watch.move(at, from: source + 3 * page) }
      let child = try p.fork()
      p.expectErrno(.ebusy, when: "for a page that a child has as well") {
        try watch.move(at, from: source + 2 * page)
      }
      child.exit()
      try watch.move(at, from: source + 2 * page)
      p.expectLoad(at + 5, 43)
      p.store(at + 5, 99)
      p.expectLoad(at + 5, 99)
    },
    ScenarioCase("userfaultfd03", "A userfaultfd from /dev/userfaultfd works as one from the system call.") {
      p in
      p.user = 1000
      p.privileges = []
      let device = try p.open("/dev/userfaultfd")
      let number = try p.call(.ioctl, ["file": device, "command": 0xAA00, "flags": 0])
      let watch = Watch(descriptor: Descriptor(Int(number)), monitor: p)
      try watch.agree()
      try copies(p, watch)
    },
    ScenarioCase("userfaultfd04", "UFFDIO_ZEROPAGE makes whole pages of zeroes, which can be written.") { p in
      let at = try p.map(8)
      let watch = try p.watch()
      try watch.register(at, pages: 8, .missing)
      p.expectWaits(.missing, .load, at)
      try watch.zero(at, pages: 2)
      p.expect(watch.answer(3), 2 * page, "bytes of zeroes")
      p.expectZero(at, bytes: 2 * page)
      p.store(at, 3)
      p.expectLoad(at, 3)
      p.expectZero(at + page)
      p.expectWaits(.missing, .load, at + 2 * page)
    },
    ScenarioCase(
      "userfaultfd05",
      "A store to a protected page waits, is not visible meanwhile, and completes when allowed."
    ) { p in
      let memory = try p.memfd(size: 8 * page)
      for at in [try p.map(8), try p.map(8, .shared, file: memory)] {
        p.fill(at, pages: 8)
        let watch = try p.watch(features: 1 << 12)
        try watch.register(at, pages: 8, .protected)
        try watch.protect(at, pages: 2)
        p.expectFilled(at, pages: 8)
        p.expectWaits(.writeProtected, .store, at + 4, 55)
        watch.expectFault(at, .writeProtected, isStore: true)
        p.expect(p.isWaiting(at), true, "the writer waits")
        p.expectLoad(at + 4, 0)
        p.store(at + 2 * page + 4, 56)
        try watch.protect(at, false)
        p.expect(p.isWaiting(at), false, "the writer waits after that")
        p.store(at + 4, 55)
        p.expectLoad(at + 4, 55)
        p.expectWaits(.writeProtected, .store, at + page + 4)
      }
    },
    ScenarioCase("userfaultfd06", "A load of a page that UFFDIO_POISON poisoned is a bus error.") { p in
      for sharing in [Sharing.private, .shared] {
        let at = try p.map(8, sharing)
        let watch = try p.watch()
        try watch.register(at, pages: 8, .missing)
        p.expectWaits(.missing, .load, at)
        try watch.poison(at, pages: 2)
        p.expect(watch.answer(3), 2 * page, "bytes that were poisoned")
        p.expect(p.isWaiting(at), false, "the reader waits after that")
        p.expectSignal(.poisoned, .load, at)
        p.expectSignal(.poisoned, .store, at + page)
        p.expectErrno(.eexist, when: "where it is poisoned") { try watch.poison(at) }
        try p.inChild { $0.expectSignal(.poisoned, .load, at + page) }
        try p.advise(at, .dontNeed)
        p.expectWaits(.missing, .load, at)
        p.expectSignal(.poisoned, .load, at + page)
      }
    },
    ScenarioCase(
      "userfaultfd07", "A minor fault waits; the reader gets what the file holds when UFFDIO_CONTINUE comes."
    ) { p in
      let memory = try p.memfd(size: 8 * page)
      let at = try p.map(8, .shared, file: memory)
      let window = try p.map(8, .shared, file: memory)
      p.store(window + 2 * page, 21)
      p.store(at + 3 * page, 31)
      try p.advise(at, pages: 8, .dontNeed)
      let watch = try p.watch()
      try watch.register(at, pages: 8, [.missing, .minor])
      p.expectWaits(.minor, .load, at + 2 * page)
      watch.expectFault(at + 2 * page, .minor)
      p.store(window + 2 * page, 22)
      try watch.proceed(at + 2 * page)
      p.expect(watch.answer(3), page, "bytes that are mapped now")
      p.expectLoad(at + 2 * page, 22)
      p.store(at + 2 * page, 23)
      p.expectLoad(window + 2 * page, 23)
      p.expectWaits(.minor, .load, at + 3 * page)
      p.expectWaits(.missing, .load, at + 4 * page)
      p.expectErrno(.efault, when: "where the file has no page") { try watch.proceed(at + 4 * page) }
    },
  ]

  private static let userfaultOwnCases: [ScenarioCase] = [
    ScenarioCase(
      "userfaultfd.protection",
      "Protection by a monitor outlasts mprotect, swap and fork; closing the file ends it.",
      needs: Needs(swapPages: 256)
    ) { p in
      let at = try p.map(4)
      p.fill(at, pages: 4)
      let watch = try p.watch()
      try watch.register(at, pages: 4, .protected)
      try watch.protect(at, pages: 3)
      try p.protect(at, pages: 4, .read)
      try p.protect(at, pages: 4, [.read, .write])
      for number in 0..<3 as Range<UInt64> { p.expectWaits(.writeProtected, .store, at + number * page) }
      p.store(at + 3 * page + 39, 4 | 1)
      try p.advise(at, pages: 4, .pageOut)
      p.expectWaits(.writeProtected, .store, at + page)
      p.expectFilled(at, pages: 4)
      try p.inChild { $0.store(at, 77) }
      p.expectWaits(.writeProtected, .store, at)
      p.expectFilled(at, pages: 4)
      p.close(watch.descriptor)
      p.store(at, 78)
      p.expectLoad(at, 78)
    },
    ScenarioCase(
      "userfaultfd.events",
      "A monitor learns of children, moves, dropped pages and unmapped areas, if it asked for it."
    ) { p in
      let at: UInt64 = 0x40_0000_0000
      let moved: UInt64 = 0x50_0000_0000
      _ = try p.map(8, at: at)
      let source = try p.map(1)
      p.store(source, 7)
      let watch = try p.watch(features: 1 << 1 | 1 << 2 | 1 << 3 | 1 << 6)
      try watch.register(at, pages: 8, .missing)
      try watch.copy(at, from: source)
      let child = try p.fork()
      p.expectErrno(.eagain, when: "before the child is known of") { try watch.copy(at + page, from: source) }
      guard let event = try watch.event(), event.kind == .fork else {
        throw p.stop("the event of a fork", "another one, or none")
      }
      child.expectLoad(at, 7)
      child.expectWaits(.missing, .load, at + page)
      let other = Watch(descriptor: Descriptor(Int(event.descriptor)), monitor: p)
      other.expectFault(at + page, .missing)
      try other.copy(at + page, from: source)
      child.expectLoad(at + page, 7)
      p.expectWaits(.missing, .load, at + page)
      watch.expectFault(at + page, .missing)
      p.close(other.descriptor)
      child.expectLoad(at + 2 * page, 0)
      child.exit()
      try p.remap(at, pages: 4, newPages: 4, to: moved)
      watch.expectEvent([0x14, at, moved, 4 * page])
      p.expectLoad(moved, 7)
      p.expectWaits(.missing, .load, moved + page)
      watch.expectFault(moved + page, .missing)
      try p.advise(moved, .dontNeed)
      watch.expectEvent([0x15, moved, moved + page, 0])
      p.expectWaits(.missing, .load, moved)
      watch.expectFault(moved, .missing)
      try p.unmap(at + 4 * page, pages: 4)
      watch.expectEvent([0x16, at + 4 * page, at + 8 * page, 0])
      watch.expectEvent(nil)
    },
  ]
}
