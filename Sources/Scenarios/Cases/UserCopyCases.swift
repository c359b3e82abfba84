// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let userCopy = ScenarioGroup("usercopy", isComplete: true, userCopyCases)
  static let cve = ScenarioGroup("cve", isComplete: true, cveCases)
  static let misc = ScenarioGroup("misc", isComplete: true, miscCases)

  /// What the kernel does with user memory on behalf of a program.
  private static let userCopyCases: [ScenarioCase] = [
    ScenarioCase(
      "writev06",
      "The last bytes before pages without rights are written, and not a byte is read behind them."
    ) { p in
      let at = try p.map(4)
      for number in [0, 2] as [UInt64] {
        p.store(at + number * page + page - 1, UInt8(65 + number))
        try p.protect(at + (number + 1) * page, [])
      }
      let file = try p.file()
      for number in [0, 2] as [UInt64] {
        p.expect(try p.write(file, from: at + number * page + page - 1, 1), 1, "bytes written")
      }
      p.expectContents(file, "AC")
      p.expect(p.size(file), 2, "the file's size")
      p.expect(p.presentPages(at, pages: 4), 2, "pages in memory")
    },
    ScenarioCase(
      "writev02", also: ["writev05"],
      "A write from where nothing can be read fails and leaves the file as it is."
    ) { p in
      let file = try p.file("0123456789")
      let closed = try p.map(2, protection: [])
      let gone = try p.map(2)
      try p.unmap(gone, pages: 2)
      for bad in [UInt64.max, 0 &- page, 0, closed, gone, p.host.userEnd] {
        for offset in [nil, 0, 4, 8192] as [UInt64?] {
          p.expectErrno(.efault, when: "from \(bad.text)") { try p.write(file, from: bad, 8192, at: offset) }
        }
      }
      p.expectContents(file, "0123456789")
      p.expect(p.size(file), 10, "the file's size")
    },
    ScenarioCase("sendfile04", "The kernel stores only where the program could.") { p in
      for rights in [[], .read, .execute, [.read, .execute]] as [Rights] {
        let at = try p.map(2, protection: rights)
        p.expectErrno(.efault, when: "with \(rights.text)") { try p.copyUser(at + 8, bytes: 8, .store) }
        p.expect(p.presentPages(at, pages: 2), 0, "pages in memory")
      }
      let at = try p.map(2)
      try p.unmap(at + page)
      p.expectErrno(.efault, when: "where nothing is mapped") { try p.copyUser(at + page, bytes: 8, .store) }
      p.expectErrno(.efault, when: "over the end") { try p.copyUser(at + page - 4, bytes: 8, .store) }
      p.expectSuccess("storing where it may") { try p.copyUser(at, bytes: page, .store) }
    },
    ScenarioCase("open13", "A descriptor that only names a file neither maps nor reads nor writes it.") { p in
      p.close(try p.file("text", name: "/tmp/named"))
      let file = try p.open("/tmp/named", onlyNames: true)
      let at = try p.map(1)
      p.expectErrno(.ebadf, when: "for mmap") { try p.map(1, .private, file: file, protection: .read) }
      p.expectErrno(.ebadf, when: "for read") { try p.read(file, into: at, 4) }
      p.expectErrno(.ebadf, when: "for write") { try p.write(file, from: at, 4) }
      p.expectErrno(.ebadf, when: "for ftruncate") { try p.truncate(file, 0) }
      p.expectContents(try p.open("/tmp/named"), "text")
    },
    ScenarioCase(
      "futex_wake05", "Pages that cannot be had, for whatever reason, are a bad address to the kernel."
    ) { p in
      let file = try p.file(size: 2 * page)
      let shared = try p.map(2, .shared, file: file)
      p.fill(shared, pages: 2)
      try p.truncate(file, page)
      let closed = try p.map(1, .shared, protection: [])
      let gone = try p.map(1)
      try p.unmap(gone)
      for (bad, what) in [
        (shared + page, "behind the end of a file"), (closed, "without rights"), (gone, "unmapped"),
      ] {
        p.expectErrno(.efault, when: what) { try p.copyUser(bad, bytes: 4, .load) }
        p.expectErrno(.efault, when: what) { try p.copyUser(bad, bytes: 4, .store) }
      }
      p.expectSuccess("reaching the page that is left") { try p.copyUser(shared, bytes: 4, .load) }
    },
    ScenarioCase("usercopy.short", "A copy that reaches a bad page ends there and says how far it came.") {
      p in
      let at = try p.map(4)
      p.fill(at, pages: 4)
      try p.unmap(at + 2 * page)
      let file = try p.file()
      p.expect(try p.write(file, from: at + page, 3 * page), page, "bytes written")
      p.expect(p.size(file), page, "the file's size")
      p.expect(try p.read(file, into: at + 2 * page - 100, 200, at: 0), 100, "bytes read")
      p.expectErrno(.efault) { try p.read(file, into: at + 2 * page, 200, at: 0) }
    },
  ]

  private static let cveCases: [ScenarioCase] = [
    ScenarioCase(
      "dirtyc0w_shmem",
      "No write to a private mapping reaches the file, however stores, drops and forced writes follow each other.",
      needs: Needs(cpus: 2)
    ) { p in
      let file = try p.file("the file's bytes", name: "/dev/shm/target")
      let only = try p.open("/dev/shm/target", .readOnly)
      let at = try p.map(1, .private, file: only, protection: .read)
      let writer = try p.scenario.start()
      writer.run(on: 1)
      let from = writer.scratch()
      writer.store(from, "XXXXXXXX")
      p.expectLoads(at, "the file's bytes")
      for round in 0..<8 {
        p.expectErrno(.efault, when: "for what may not be written") {
          try writer.transfer(from, with: p, at, bytes: 8, .load)
        }
        if round & 1 == 1 { try p.advise(at, .dontNeed) }
        try p.protect(at, [.read, .write])
        try writer.transfer(from, with: p, at, bytes: 8, .load)
        p.expectLoads(at, "XXXXXXXX's bytes")
        try p.advise(at, .dontNeed)
        if round & 2 == 2 { p.store(at + 1, 65) }
        try p.protect(at, .read)
        p.expectContents(file, "the file's bytes")
        try p.advise(at, .dontNeed)
        p.expectLoads(at, "the file's bytes")
      }
    },
    ScenarioCase("kallsyms", "Nothing of the kernel's half can be loaded, stored or fetched, mapped or not.")
    { p in
      let kernel: [UInt64] = [
        0xFFFF_8000_0000_0000, 0xFFFF_8880_0000_0000, 0xFFFF_C900_0000_0000, 0xFFFF_EA00_0000_0000,
        0xFFFF_FFFF_8000_0000, 0xFFFF_FFFF_8100_0000, 0xFFFF_FFFF_FF60_0000, 0 &- page,
      ]
      for address in kernel + [p.host.userEnd] {
        for kind in [AccessKind.load, .store, .fetch] { p.expectSignal(.segv, kind, address) }
        p.expectErrno(.efault) { try p.copyUser(address, bytes: 8, .store) }
      }
    },
    ScenarioCase("cve.zero", "A page that a process had is zero when another gets it.") { p in
      let size = p.host.freeFrames / 4
      let first = try p.scenario.start()
      let theirs = try first.map(size)
      for number in 0..<size where number % 4 == 0 { first.store(theirs + number * page + 100, 99) }
      first.exit()
      let at = try p.map(size)
      for number in 0..<size where number % 8 == 0 {
        p.store(at + number * page, 1)
        p.expectLoad(at + number * page + 100, 0)
      }
    },
  ]

  private static let miscCases: [ScenarioCase] = [
    ScenarioCase(
      "setrlimit04", "A program runs with a small limit for its stack; the gap below it does not count."
    ) { p in
      try p.setLimit(.stack, 128 * page)
      let child = try p.fork()
      try child.execute()
      let top: UInt64 = 0x70_0000_0000
      let stack = try child.map(1, at: top - page, flags: [.growsDown, .stack])
      _ = try child.map(1, at: top - (128 + 300) * page)
      for number in 0..<128 as Range<UInt64> { child.store(top - (number + 1) * page, UInt8(number)) }
      child.expectLayout(top - 128 * page, [.area(128)])
      child.expectSignal(.unmapped, .store, top - 129 * page)
      child.expectLoad(stack, 0)
      child.exit()
    },
    ScenarioCase(
      "getrusage03",
      "The most memory that a process had is kept when it shrinks, and over execve; a child has its own.",
      needs: Needs(hugePages: .never)
    ) { p in
      let at = try p.map(100)
      p.fill(at, pages: 100)
      try p.unmap(at + 10 * page, pages: 90)
      p.expect(p.residentPages, 10, "pages in memory")
      p.expect(p.peakPages, 100, "the most there were")
      let child = try p.fork()
      p.expect(child.peakPages, 10, "the most that a new child had")
      child.fill(try child.map(300), pages: 300)
      p.expect(child.peakPages, 310, "the most that the child had")
      try child.execute()
      p.expect(child.residentPages, 0, "pages of a new program")
      p.expect(child.peakPages, 310, "the most that the child had")
      child.exit()
      let usage = p.scratch(12 * page)
      try p.call(.getrusage, ["who": -1, "usage": usage])
      p.expect(p.loadWord(usage + 32), 310 * 4, "ru_maxrss of children")
      try p.inChild { $0.fill(try $0.map(20), pages: 20) }
      try p.call(.getrusage, ["who": -1, "usage": usage])
      p.expect(p.loadWord(usage + 32), 310 * 4, "ru_maxrss of children, which keeps the largest")
      try p.call(.getrusage, ["who": 0, "usage": usage])
      p.expect(p.loadWord(usage + 32), p.peakPages * 4, "ru_maxrss of the parent")
    },
    ScenarioCase(
      "prctl02", "Options that do not use their arguments want zeroes; the switch works and is inherited."
    ) { p in
      func switchHugePages(_ option: UInt64, _ words: [UInt64] = [0, 0, 0, 0]) throws -> UInt64 {
        try p.call(
          .prctl, ["option": option, "2": words[0], "3": words[1], "4": words[2], "5": words[3]])
      }
      for place in 1..<4 {
        var words: [UInt64] = [1, 0, 0, 0]
        words[place] = 1
        p.expectErrno(.einval, when: "for PR_SET_THP_DISABLE") { try switchHugePages(41, words) }
      }
      for place in 0..<4 {
        var words: [UInt64] = [0, 0, 0, 0]
        words[place] = 1
        p.expectErrno(.einval, when: "for PR_GET_THP_DISABLE") { try switchHugePages(42, words) }
      }
      p.expect(try switchHugePages(42), 0, "the switch before")
      _ = try switchHugePages(41, [1, 0, 0, 0])
      p.expect(try switchHugePages(42), 1, "the switch after")
      let at = try p.map(512, at: 0xB0_0000_0000)
      p.store(at, 1)
      p.expect(!p.isHuge(at), "no huge page when they are switched off")
      let child = try p.fork()
      p.expect(
        try child.call(.prctl, ["option": 42, "2": 0, "3": 0, "4": 0, "5": 0]), 1, "the child's switch")
      child.exit()
    },
    ScenarioCase("readahead02", "What is read ahead needs no reading when it is used.") { p in
      let file = try p.file(size: 64 * page)
      let at = try p.map(64, .shared, file: file)
      p.fill(at, pages: 64)
      try p.call(.fsync, ["file": file])
      for _ in 0..<3 { p.reclaim() }
      p.expectResident(at, Array(repeating: false, count: 64))
      try p.call(.readahead, ["file": file, "offset": 0, "bytes": 32 * page])
      p.expectResident(at, (0..<64).map { $0 < 32 })
      let before = p.faults.major
      p.expectFilled(at, pages: 32)
      p.expect(p.faults.major, before, "major faults after reading ahead")
      p.expectFilled(at + 32 * page, pages: 32, from: 32)
      p.expect(p.faults.major > before, "major faults without reading ahead")
      p.expectErrno(.ebadf) {
        try p.call(.readahead, ["file": Descriptor.invalid, "offset": 0, "bytes": page])
      }
    },
    ScenarioCase(
      "misc.rusage", "Faults are counted once each: first touch, copy, and nothing for what is there.",
      needs: Needs(hugePages: .never)
    ) { p in
      let at = try p.map(8)
      p.expectFaults(minor: 8) { p.fill(at, pages: 8) }
      p.expectFaults { p.expectFilled(at, pages: 8) }
      let child = try p.fork()
      child.expectFaults { child.expectFilled(at, pages: 8) }
      child.expectFaults(copyOnWrite: 8) { child.fill(at, pages: 8, seed: 9) }
      child.exit()
    },
  ]
}
