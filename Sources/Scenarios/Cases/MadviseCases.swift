// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let madvise = ScenarioGroup("madvise", isComplete: true, madviseCases, madviseOwnCases)
  static let processMadvise = ScenarioGroup("process_madvise", isComplete: true, processMadviseCases)

  private static let madviseCases: [ScenarioCase] = [
    ScenarioCase(
      "madvise01", "Advice of every kind is taken, and none but the dropping ones touches contents."
    ) {
      p in
      let file = try p.file(size: 10 * page, name: "/dev/shm/advised")
      let shared = try p.map(10, .shared, file: file)
      let own = try p.map(10)
      p.fill(shared, pages: 10)
      p.fill(own, pages: 10)
      let harmless: [Advice] = [
        .normal, .random, .sequential, .willNeed, .dontFork, .doFork, .mergeable, .unmergeable, .hugePage,
        .noHugePage, .dontDump, .doDump, .cold, .pageOut, .populateRead, .populateWrite,
      ]
      for advice in harmless {
        p.expectSuccess("\(advice) of a file") { try p.advise(shared, pages: 10, advice) }
        p.expectSuccess("\(advice) of private memory") { try p.advise(own, pages: 10, advice) }
      }
      for advice in [Advice.wipeOnFork, .keepOnFork] { try p.advise(own, pages: 10, advice) }
      p.expectFilled(shared, pages: 10)
      p.expectFilled(own, pages: 10)
      try p.advise(shared, pages: 10, .dontNeed)
      p.expectFilled(shared, pages: 10)
      try p.advise(own, pages: 10, .free)
      try p.advise(own, pages: 10, .dontNeed)
      p.expectZero(own, bytes: 10 * page)
      try p.advise(shared, pages: 10, .remove)
      p.expectZero(shared, bytes: 10 * page)
    },
    ScenarioCase("madvise02", "Wrong addresses, unknown advice and advice that does not fit are refused.") {
      p in
      p.close(try p.file(size: 16 * page, name: "/tmp/advised"))
      let file = try p.open("/tmp/advised", .readOnly)
      let shared = try p.map(16, .shared, file: file, protection: .read)
      let copy = try p.map(16, .private, file: file, protection: .read)
      let memory = try p.map(16, .shared)
      p.expectErrno(.einval, when: "inside a page") { try p.advise(shared + 100, pages: 15, .normal) }
      p.expectErrno(.einval, when: "for advice 1212") {
        try p.call(.madvise, ["address": shared, "bytes": page, "advice": 1212])
      }
      p.expectErrno(.eacces, when: "for a hole in a file opened for reading") {
        try p.advise(shared, .remove)
      }
      p.expectErrno(.eacces, when: "for a hole through a private mapping") { try p.advise(copy, .remove) }
      for (at, what) in [(shared, "a shared file"), (copy, "a private file"), (memory, "shared memory")] {
        p.expectErrno(.einval, when: "for freeing \(what)") { try p.advise(at, pages: 16, .free) }
        p.expectErrno(.einval, when: "for wiping \(what)") { try p.advise(at, pages: 16, .wipeOnFork) }
      }
      try p.lock(shared, pages: 16)
      for advice in [Advice.dontNeed, .remove, .cold, .pageOut] {
        p.expectErrno(.einval, when: "for \(advice) of locked pages") {
          try p.advise(shared, pages: 16, advice)
        }
      }
      p.expect(p.presentPages(shared, pages: 16), 16, "locked pages in memory")
      p.expectSuccess("dropping locked pages on purpose") { try p.advise(shared, .dontNeedLocked) }
      try p.unmap(copy + 15 * page)
      for advice in [Advice.normal, .willNeed, .random, .dontNeed] {
        p.expectErrno(.enomem, when: "for \(advice) over a hole") { try p.advise(copy, pages: 16, advice) }
      }
      p.expectErrno(.einval, when: "over the end of addresses") { try p.advise(copy, bytes: .max, .normal) }
      p.expectSuccess("advice on nothing") { try p.advise(copy, pages: 0, .dontNeed) }
    },
    ScenarioCase("madvise03", "What MADV_DONTNEED drops reads zero, and nothing beside it.") { p in
      let at = try p.map(4)
      for offset in 0..<(4 * page) where offset % 97 == 0 || offset % page == 0 { p.store(at + offset, 1) }
      try p.advise(at + page, pages: 2, .dontNeed)
      p.expectZero(at + page, bytes: 2 * page)
      p.expectLoad(at, 1)
      p.expectLoad(at + 3 * page, 1)
      p.fill(at, pages: 4)
      p.expectFilled(at, pages: 4)
      p.expectLayout(at, [.area(4)])
    },
    ScenarioCase("madvise05", "MADV_WILLNEED of memory without rights succeeds, and gives no access.") { p in
      let at = try p.map(1024, protection: .read, flags: .populate)
      try p.protect(at, pages: 1024, [])
      try p.advise(at, pages: 1024, .willNeed)
      p.expectSignal(.forbidden, .load, at)
      p.expectSignal(.forbidden, .load, at + 1023 * page)
      try p.protect(at, pages: 1024, [.read, .write])
      p.expectZero(at, bytes: 4 * page)
    },
    ScenarioCase(
      "madvise06", "MADV_WILLNEED brings shared memory back from swap: using it is no major fault.",
      needs: Needs(swapPages: 512, hugePages: .never)
    ) { p in
      let at = try p.map(64, .shared)
      p.fill(at, pages: 64)
      p.reclaim()
      p.reclaim()
      p.expect(p.presentPages(at, pages: 64), 0, "pages in memory")
      p.expect(p.administration.usedSwap, 64, "slots in use")
      try p.advise(at, pages: 32, .willNeed)
      p.expectResident(at, Array(repeating: true, count: 32))
      let before = p.faults.major
      p.expectFilled(at, pages: 32)
      p.expect(p.faults.major - before, 0, "major faults")
      p.expectFilled(at + 32 * page, pages: 32, from: 32)
      p.expect(p.faults.major - before > 0, "major faults without advice")
    },
  ]

  private static let madviseOwnCases: [ScenarioCase] = [
    ScenarioCase("madvise.fork", "MADV_DONTFORK hides memory from children, MADV_WIPEONFORK shows it empty.")
    { p in
      let at = try p.map(6)
      p.fill(at, pages: 6)
      try p.advise(at + page, pages: 2, .dontFork)
      try p.advise(at + 3 * page, pages: 2, .wipeOnFork)
      try p.inChild { child in
        child.expectLayout(at, [.area(1), .hole(2), .area(2), .area(1)])
        child.expectSignal(.unmapped, .load, at + page)
        child.expectZero(at + 3 * page, bytes: 2 * page)
        child.expectFilled(at, pages: 1)
        child.expectFilled(at + 5 * page, pages: 1, from: 5)
        child.fill(at + 3 * page, pages: 2)
        try child.inChild { $0.expectZero(at + 3 * page, bytes: 2 * page) }
      }
      p.expectFilled(at, pages: 6)
      try p.advise(at, pages: 6, .doFork)
      try p.advise(at, pages: 6, .keepOnFork)
      p.expectLayout(at, [.area(6)])
      try p.inChild { $0.expectFilled(at, pages: 6) }
    },
    ScenarioCase("madvise.remove", "A hole in a shared file is zero for everybody, but private copies stay.")
    { p in
      let file = try p.file(size: 4 * page)
      let at = try p.map(4, .shared, file: file)
      let other = try p.map(4, .shared, file: file, protection: .read)
      let copy = try p.map(4, .private, file: file)
      p.fill(at, pages: 4)
      p.store(copy + page, 77)
      p.expectFilled(copy, pages: 1)
      try p.advise(at + page, pages: 2, .remove)
      p.expectZero(other + page, bytes: 2 * page)
      p.expectLoad(copy + page, 77)
      p.expectZero(copy + 2 * page)
      p.expectFilled(other, pages: 1)
      p.expectFilled(at + 3 * page, pages: 1, from: 3)
      p.expect(p.size(file), 4 * page, "the file's size")
    },
    ScenarioCase("madvise.dropFile", "Dropping a private mapping of a file brings the file's bytes back.") {
      p in
      let file = try p.file("original", size: 2 * page)
      let at = try p.map(2, file: file)
      p.store(at, "modified")
      try p.advise(at, .dontNeed)
      p.expectLoads(at, "original")
      p.expectContents(file, "original")
    },
    ScenarioCase(
      "madvise.free", "Freed pages are dropped when memory is short, unless they are written again.",
      needs: Needs(swapPages: 512)
    ) { p in
      let at = try p.map(8)
      p.fill(at, pages: 8)
      try p.advise(at, pages: 8, .free)
      p.store(at + 4 * page, 44)
      p.reclaim()
      p.reclaim()
      p.expectLoad(at + 4 * page, 44)
      p.expectZero(at, bytes: 4 * page)
      p.expectZero(at + 5 * page, bytes: 3 * page)
    },
    ScenarioCase(
      "madvise.guard", "Guard pages refuse every access and survive dropping; removed, they are zero."
    ) {
      p in
      let at = try p.map(6)
      p.fill(at, pages: 6)
      try p.advise(at + 2 * page, pages: 2, .guardInstall)
      p.expectSignal(.segv, .load, at + 2 * page)
      p.expectSignal(.segv, .store, at + 3 * page)
      try p.advise(at, pages: 6, .dontNeed)
      p.expectSignal(.segv, .load, at + 3 * page)
      p.expectLayout(at, [.area(6)])
      try p.inChild { $0.expectSignal(.segv, .load, at + 2 * page) }
      p.expectErrno(.efault, when: "bringing guard pages in") { try p.advise(at, pages: 6, .populateRead) }
      try p.advise(at, pages: 6, .guardRemove)
      p.expectZero(at, bytes: 6 * page)
    },
    ScenarioCase("madvise.populate", "MADV_POPULATE brings pages in for what comes, and respects rights.") {
      p in
      let at = try p.map(4)
      try p.advise(at, pages: 4, .populateWrite)
      p.expectFaults { p.fill(at, pages: 4) }
      let file = try p.file(size: page)
      let readable = try p.map(2, .shared, file: file, protection: .read)
      p.expectErrno(.einval, when: "for stores that are forbidden") { try p.advise(readable, .populateWrite) }
      p.expectErrno(.efault, when: "behind the end of the file") {
        try p.advise(readable, pages: 2, .populateRead)
      }
      p.expect(p.isPresent(readable), true, "the page before the end")
      try p.unmap(at + page)
      p.expectErrno(.enomem, when: "over a hole") { try p.advise(at, pages: 4, .populateRead) }
    },
  ]

  private static let processMadviseCases: [ScenarioCase] = [
    ScenarioCase(
      "process_madvise01", "Another process's pages go to swap on advice, and come back with their contents.",
      needs: Needs(swapPages: 1024, hugePages: .never)
    ) { p in
      let child = try p.fork()
      let at = try child.map(256, .shared)
      child.fill(at, pages: 256)
      let handle = try p.call(.pidfdOpen, ["pid": UInt64(child.pid), "flags": 0])
      let pieces = p.vector([(at, 256 * page)])
      let done = try p.call(
        .processMadvise,
        ["pidfd": handle, "vector": pieces, "count": 1, "advice": Advice.pageOut, "flags": 0])
      p.expect(done, 256 * page, "bytes that were advised")
      p.expect(child.presentPages(at, pages: 256), 0, "pages of the child in memory")
      p.expect(p.administration.usedSwap, 256, "slots in use")
      child.expectFilled(at, pages: 256)
      child.exit()
      p.expectErrno(.esrch, when: "for a process that is gone") {
        try p.call(
          .processMadvise, ["pidfd": handle, "vector": pieces, "count": 1, "advice": Advice.cold, "flags": 0])
      }
    },
    ScenarioCase("process_madvise.rights", "Advice that changes contents is for a process itself only.") {
      p in
      let child = try p.fork()
      let at = try child.map(2)
      child.fill(at, pages: 2)
      let handle = try p.call(.pidfdOpen, ["pid": UInt64(child.pid), "flags": 0])
      let pieces = p.vector([(at, 2 * page)])
      func advise(_ advice: Advice, flags: UInt64 = 0, on descriptor: UInt64? = nil) throws {
        try p.call(
          .processMadvise,
          ["pidfd": descriptor ?? handle, "vector": pieces, "count": 1, "advice": advice, "flags": flags])
      }
      for advice in [Advice.dontNeed, .free, .dontFork, .guardInstall] {
        p.expectErrno(.einval, when: "for \(advice)") { try advise(advice) }
      }
      p.expectErrno(.einval, when: "for flags") { try advise(.cold, flags: 1) }
      p.expectErrno(.ebadf, when: "for a number that is no descriptor") { try advise(.cold, on: 99) }
      p.expectSuccess("MADV_COLD") { try advise(.cold) }
      p.user = 1000
      p.privileges = []
      p.expectErrno(.eperm, when: "for another user's process") { try advise(.cold) }
      child.expectFilled(at, pages: 2)
      child.exit()
    },
  ]
}
