// SPDX-License-Identifier: MIT
internal import VMM

/// What random programs on a real Linux (6.18) taught: each case is one that this kernel once answered differently.
extension ScenarioCatalog {
  static let host = ScenarioGroup("host", hostCases)

  private static let base: UInt64 = 0x1000_0000_0000

  private static let hostCases: [ScenarioCase] = [
    ScenarioCase("host.remapRefusals", "A bad target is refused before the mapping is looked for.") { p in
      let free = base + 8 * page
      p.expectErrno(.einval, when: "over itself") { try p.remap(base, pages: 6, newPages: 1, to: base) }
      p.expectErrno(.einval, when: "larger than all addresses") {
        try p.call(
          .mremap, ["address": base, "bytes": page, "newBytes": UInt64(1) << 62, "flags": 1, "target": 0])
      }
      p.expectErrno(.efault, when: "nothing is mapped") {
        try p.call(
          .mremap,
          ["address": base, "bytes": 3 * page, "newBytes": 2 * page + 100, "flags": 7, "target": free])
      }
    },
    ScenarioCase("host.remapShrinks", "A move to a smaller length may reach over the end of the mapping.") {
      p in
      _ = try p.map(5, at: base)
      try p.remap(base + 4 * page, pages: 4, newPages: 1, to: base + 16 * page)
      p.expectLayout(base, [.area(4), .hole(12), .area(1)])
    },
    ScenarioCase("host.remapTarget", "A target without MREMAP_FIXED and DONTUNMAP is no hint.") { p in
      let (at, wish) = (try p.map(2, .shared, at: base), base + 16 * page)
      let place = try p.call(
        .mremap, ["address": at, "bytes": 0, "newBytes": 2 * page, "flags": 1, "target": wish])
      p.expect(place != wish, "the copy is elsewhere")
    },
    ScenarioCase("host.remapKeepsSharing", "Moving a locked mapping copies nothing that a child has as well.")
    { p in
      let at = try p.map(2, at: base, flags: .locked)
      let child = try p.fork()
      try p.remap(at, pages: 2, newPages: 2, to: base + 16 * page)
      p.expect(!p.pageMap(base + 16 * page).isExclusive, "the page is still the child's as well")
      child.exit()
    },
    ScenarioCase("host.remapUnlocks", "MREMAP_DONTUNMAP unlocks all of the old mapping.") { p in
      _ = try p.map(7, at: base, protection: [], flags: .locked)
      try p.remap(base, pages: 3, newPages: 3, to: base + 16 * page, keepsOld: true)
      p.expect(p.lockedPages, 3, "locked pages")
    },
    ScenarioCase("host.mmapRefusals", "Which refusal comes first when several things are wrong.") { p in
      let file = try p.memfd(size: page)
      p.expectErrno(.enomem, when: "too long, and too long for the file") {
        try p.map(file: file, bytes: 1 << 63, at: base)
      }
      p.expectErrno(.eopnotsupp, when: "MAP_SHARED_VALIDATE does not know it") {
        try p.map(1, .validated, file: file, at: base, flags: .fixedNoReplace)
      }
      p.expectErrno(.ebadf, when: "the file is looked for first") {
        try p.allocate(.invalid, mode: 2, offset: 0, bytes: 0)
      }
    },
    ScenarioCase("host.mmapHint", "A hint is rounded down to a page.") { p in
      p.expect(try p.map(3, near: base + 5), base, "the address")
    },
    ScenarioCase("host.mmapStack", "MAP_STACK asks for no huge pages.") { p in
      let at = try p.map(1024, at: base, flags: .stack)
      p.store(at, 1)
      p.expect(!p.isHuge(at), "the page is small")
      p.expect(p.area(at)?.flags.contains(.noHugePages) == true, "no huge pages are noted")
    },
    ScenarioCase("host.lockedBecomesWritable", "Locked private pages are copied when they become writable.") {
      p in
      let at = try p.map(3, at: base, protection: .read, flags: .locked)
      try p.protect(at, pages: 3, [.read, .write])
      p.expectFaults { p.store(at + page, 1) }
    },
    ScenarioCase("host.growsUp", "PROT_GROWSUP is refused where a mapping is.") { p in
      _ = try p.map(2, at: base)
      p.expectErrno(.einval) {
        try p.call(.mprotect, ["address": base, "bytes": page, "protection": UInt64(0x200_0001)])
      }
      p.expectErrno(.enomem, when: "nothing is mapped") {
        try p.call(.mprotect, ["address": base - page, "bytes": page, "protection": UInt64(0x200_0001)])
      }
    },
    ScenarioCase("host.sealedBehind", "mprotect changes what lies before a sealed mapping.") { p in
      _ = try p.map(4, at: base)
      try p.seal(base + 2 * page)
      p.expectErrno(.eperm) { try p.protect(base, pages: 4, .read) }
      p.expectLayout(base, [.area(2, .read), .area(1), .area(1)])
    },
    ScenarioCase("host.populateNeedsRead", "MADV_POPULATE_READ needs PROT_READ, and grows no stack.") { p in
      let at = try p.map(1, at: base, protection: .write)
      p.expectErrno(.einval) { try p.advise(at, .populateRead) }
      _ = try p.map(2, at: base + 1024 * page, flags: .growsDown)
      p.expectErrno(.enomem) { try p.advise(base + 1020 * page, .populateRead) }
    },
    ScenarioCase("host.guards", "Guards are not in memory, and a guarded area stays promised.") { p in
      let at = try p.map(4, at: base)
      try p.advise(at + page, .guardInstall)
      p.expectResident(at, [false, false, false, false])
      try p.protect(at, pages: 4, .read)
      p.expect(p.area(at)?.flags.contains(.accounted) == true, "the area is promised")
    },
    ScenarioCase("host.copiesAreResident", "A private copy is in memory although the file's page is gone.") {
      p in
      let file = try p.memfd(size: page)
      let at = try p.map(1, file: file, at: base)
      p.store(at, 5)
      try p.allocate(file, mode: 3, offset: 0, bytes: page)
      p.expectResident(at, [true])
    },
    ScenarioCase("host.droppable", "Droppable memory is filled, but never locked, nor dumped.") { p in
      let flags = MapFlags(rawValue: 0x30 | Sharing.droppable.rawValue)
      func map(_ at: UInt64) throws(Errno) {
        try p.call(
          .mmap,
          [
            "address": at, "bytes": page, "protection": 3, "flags": flags, "file": Descriptor.invalid,
            "offset": 0,
          ])
      }
      try map(base)
      try p.lock(base)
      p.expect(p.lockedPages, 0, "locked pages")
      p.expectErrno(.einval) { try p.advise(base, .doDump) }
      try p.lockAll(6)
      try map(base + 16 * page)
      p.expect(p.isPresent(base + 16 * page), "the page is there at once")
      _ = try p.map(1, at: base + 32 * page, flags: .populate)
      p.expect(!p.isPresent(base + 32 * page), "a page that is locked on fault is not")
    },
  ]
}
