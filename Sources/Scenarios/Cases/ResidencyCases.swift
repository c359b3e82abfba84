// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let mincore = ScenarioGroup("mincore", isComplete: true, mincoreCases)
  static let msync = ScenarioGroup("msync", isComplete: true, msyncCases)
  static let cachestat = ScenarioGroup("cachestat", isComplete: true, cachestatCases)

  private static let mincoreCases: [ScenarioCase] = [
    ScenarioCase("mincore01", "Wrong addresses, vectors that cannot be written and holes are refused.") { p in
      let file = try p.file(size: 2 * page)
      let at = try p.map(4, .shared, file: file)
      let answers = p.scratch()
      p.expectErrno(.einval, when: "inside a page") { try p.mincore(at + 1, pages: 4, vector: answers) }
      p.expectErrno(.efault, when: "for a vector that is not mapped") {
        try p.mincore(at, pages: 4, vector: page)
      }
      p.expectErrno(.efault, when: "for a vector behind user addresses") {
        try p.mincore(at, pages: 4, vector: p.host.userEnd)
      }
      let sealed = try p.map(1, protection: .read)
      p.expectErrno(.efault, when: "for a vector that is not writable") { try p.mincore(at, vector: sealed) }
      try p.unmap(at + 3 * page)
      p.expectErrno(.enomem, when: "over a hole") { try p.mincore(at, pages: 4, vector: answers) }
      p.expectErrno(.enomem, when: "over the end of addresses") {
        try p.mincore(at, pages: 1, bytes: p.host.userEnd - at + page, vector: answers)
      }
      p.expectSuccess("asking about what is mapped") { try p.mincore(at, pages: 3, vector: answers) }
    },
    ScenarioCase("mincore02", "Every page of a locked mapping of a file is in memory.") { p in
      let file = try p.file(size: 4 * page)
      let at = try p.map(4, .shared, file: file)
      try p.lock(at, pages: 4)
      p.expectResident(at, [true, true, true, true])
    },
    ScenarioCase("mincore03", "Untouched memory is not there; once locked it is.") { p in
      let at = try p.map(3)
      p.expectResident(at, [false, false, false])
      try p.lock(at, pages: 3)
      p.expectResident(at, [true, true, true])
    },
    ScenarioCase(
      "mincore.file", "A file's page counts as soon as anybody brought it in, mapped here or not.",
      needs: Needs(hugePages: .never)
    ) { p in
      let file = try p.file(size: 64 * page)
      let at = try p.map(64, .shared, file: file)
      try p.write(file, at: 40 * page, "written")
      p.expect(p.isPresent(at + 40 * page), false, "mapped here")
      p.expect(p.isResident(at + 40 * page), true, "in memory")
      p.expect(p.isResident(at), false, "in memory")
      let own = try p.map(3)
      p.store(own + page, 1)
      p.expectResident(own, [false, true, false])
      try p.advise(own, pages: 3, .dontNeed)
      p.expectResident(own, [false, false, false])
    },
    ScenarioCase(
      "mincore.swap", "Pages in swap are not in memory, and are again once they are used.",
      needs: Needs(swapPages: 512, hugePages: .never)
    ) { p in
      let at = try p.map(4)
      p.fill(at, pages: 4)
      try p.advise(at + page, pages: 2, .pageOut)
      p.expectResident(at, [true, false, false, true])
      p.expectFilled(at, pages: 4)
      p.expectResident(at, [true, true, true, true])
    },
  ]

  private static let msyncCases: [ScenarioCase] = [
    ScenarioCase("msync01", "What was stored through a mapping is read from the file after MS_ASYNC.") { p in
      let file = try p.file(size: page)
      let at = try p.map(1, .shared, file: file)
      let bytes = (0..<256).map { UInt8(truncatingIfNeeded: $0 * 7 + 3) }
      p.store(at + 100, bytes)
      try p.sync(at, flags: 1)
      p.expectContents(file, at: 100, bytes)
      p.expectContents(file, Array(repeating: 0, count: 100))
    },
    ScenarioCase("msync02", "What is written to the file is seen through the mapping after MS_INVALIDATE.") {
      p in
      let file = try p.file(size: page)
      let at = try p.map(1, .shared, file: file)
      p.expectLoad(at + 100, 0)
      try p.write(file, at: 100, "new text")
      try p.sync(at, flags: 2)
      p.expectLoads(at + 100, "new text")
    },
    ScenarioCase(
      "msync04", "MS_SYNC makes a changed page of a file clean, and the next store makes it dirty again.",
      needs: Needs(hugePages: .never)
    ) { p in
      let file = try p.file(size: 2 * page)
      let at = try p.map(2, .shared, file: file)
      p.store(at, 1)
      p.store(at + page, 1)
      p.expect(p.translation(at).isDirty, true, "dirty after a store")
      try p.sync(at)
      p.expect(p.translation(at).isDirty, false, "dirty after msync")
      p.expect(p.translation(at + page).isDirty, true, "dirty page beside it")
      p.store(at + 8, 2)
      p.expect(p.translation(at).isDirty, true, "dirty after another store")
      p.expectContents(file, [1, 0, 0, 0, 0, 0, 0, 0, 2])
    },
    ScenarioCase(
      "msync.errors", "Flags that exclude each other, wrong addresses, holes and locks are refused."
    ) { p in
      let file = try p.file(size: 3 * page)
      let at = try p.map(3, .shared, file: file)
      p.fill(at, pages: 3)
      p.expectErrno(.einval, when: "for MS_SYNC with MS_ASYNC") { try p.sync(at, flags: 5) }
      p.expectErrno(.einval, when: "for flags that nobody knows") { try p.sync(at, flags: 8) }
      p.expectErrno(.einval, when: "inside a page") { try p.sync(at + 1) }
      try p.lock(at + 2 * page)
      p.expectErrno(.ebusy, when: "to invalidate locked pages") { try p.sync(at, pages: 3, flags: 2) }
      p.expectSuccess("writing locked pages") { try p.sync(at, pages: 3, flags: 4) }
      try p.unmap(at + page)
      p.expectErrno(.enomem, when: "over a hole") { try p.sync(at, pages: 3) }
      p.expectErrno(.enomem, when: "over the end of addresses") { try p.sync(at, bytes: 0 &- at) }
      p.expectContents(file, [1])
    },
  ]

  private static let cachestatCases: [ScenarioCase] = [
    ScenarioCase("cachestat01", "A file's written pages are counted, dirty until fsync.") { p in
      for pages in [1, 7, 64] as [UInt64] {
        let file = try p.file()
        for number in 0..<pages {
          try p.write(file, at: number * page, [UInt8(truncatingIfNeeded: number) | 1])
        }
        let before = try p.cacheStatistics(file)
        p.expect(before.cached + before.evicted, pages, "pages in memory or evicted")
        p.expect(before.dirty, pages, "dirty pages")
        try p.call(.fsync, ["file": file])
        let after = try p.cacheStatistics(file)
        p.expect(after.cached + after.evicted, pages, "pages in memory or evicted after fsync")
        p.expect(after.dirty, 0, "dirty pages after fsync")
      }
    },
    ScenarioCase(
      "cachestat02", "Pages of shared memory are counted, in memory or evicted.", needs: Needs(swapPages: 512)
    ) { p in
      for pages in [1, 8, 100] as [UInt64] {
        let file = try p.file(size: pages * page, name: "/dev/shm/counted\(pages)")
        let at = try p.map(pages, .shared, file: file)
        p.fill(at, pages: pages)
        let before = try p.cacheStatistics(file)
        p.expect(before.cached, pages, "pages in memory")
        p.reclaim()
        p.reclaim()
        let after = try p.cacheStatistics(file)
        p.expect(after.cached + after.evicted, pages, "pages in memory or evicted")
        p.expectFilled(at, pages: pages)
      }
    },
    ScenarioCase(
      "cachestat03", "Wrong descriptors, addresses and flags are refused, and pooled huge pages.",
      needs: Needs(hugePool: 1)
    ) { p in
      let file = try p.file(size: page)
      let pooled = try p.memfd(size: huge, flags: 4)
      let range = p.put([0, page])
      func ask(_ file: Descriptor, _ range: UInt64, _ answer: UInt64, _ flags: UInt64 = 0) throws {
        try p.call(.cachestat, ["file": file, "range": range, "answer": answer, "flags": flags])
      }
      p.expectErrno(.ebadf, when: "for no file") { try ask(.invalid, range, range + 64) }
      p.expectErrno(.efault, when: "for a range that is not mapped") { try ask(file, page, range + 64) }
      p.expectErrno(.efault, when: "for an answer that has no place") { try ask(file, range, page) }
      p.expectErrno(.einval, when: "for flags") { try ask(file, range, range + 64, 1) }
      p.expectErrno(.eopnotsupp, when: "for pooled huge pages") { try ask(pooled, range, range + 64) }
      p.expectSuccess("asking about a file") { try ask(file, range, range + 64) }
    },
    ScenarioCase(
      "cachestat.range", "Only the asked part counts, by pages that it touches; stores make pages dirty."
    ) {
      p in
      let file = try p.file(size: 16 * page)
      let at = try p.map(16, .shared, file: file, flags: .populate)
      try p.call(.fsync, ["file": file])
      p.store(at + 3 * page, 3)
      p.expect(try p.cacheStatistics(file, offset: 2 * page, bytes: 4 * page).cached, 4, "pages in memory")
      p.expect(try p.cacheStatistics(file, offset: 3 * page + 5, bytes: 1).dirty, 1, "dirty pages")
      p.expect(try p.cacheStatistics(file, offset: 4 * page, bytes: 0).dirty, 0, "dirty pages up to the end")
      p.expect(try p.cacheStatistics(file, offset: page - 1, bytes: 2).cached, 2, "pages of two bytes")
      try p.allocate(file, mode: 3, offset: 0, bytes: 8 * page)
      p.expect(try p.cacheStatistics(file).cached, 8, "pages in memory after a hole was punched")
    },
  ]
}

extension Program {
  /// `cachestat`.
  fileprivate func cacheStatistics(
    _ file: Descriptor, offset: UInt64 = 0, bytes: UInt64 = 0
  ) throws(Errno) -> (cached: UInt64, dirty: UInt64, evicted: UInt64) {
    let range = put([offset, bytes])
    try call(.cachestat, ["file": file, "range": range, "answer": range + 64, "flags": 0])
    return (loadWord(range + 64), loadWord(range + 72), loadWord(range + 88))
  }
}
