// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let segments = ScenarioGroup("sysv-shm", isComplete: true, segmentCases, segmentErrors)

  private static let base: UInt64 = 0x80_0000_0000

  private static let segmentCases: [ScenarioCase] = [
    ScenarioCase(
      "shmat01", "A segment is attached where it was asked for, rounded down where that was asked for."
    ) { p in
      let segment = try p.segment(bytes: 3 * page)
      for (address, flags) in [(0, 0), (base, 0), (base + page - 1, 0o20000)] as [(UInt64, UInt64)] {
        let at = try p.attach(segment, at: address, flags: flags)
        if address != 0 { p.expect(at, base, "the address") }
        p.expectLayout(at, [.area(3, shared: true, offset: 0)])
        p.expectAttachments(segment, 1)
        p.fill(at, pages: 3, seed: address)
        try p.detach(at)
      }
      let at = try p.attach(segment, flags: 0o10000)
      p.expectFilled(at, pages: 3, seed: base + page - 1)
      p.expectSignal(.forbidden, .store, at)
      p.expectErrno(.eacces, when: "for the right to store") { try p.protect(at, [.read, .write]) }
    },
    ScenarioCase("shmat03", "Nothing is attached at address 0, however it is written.") { p in
      let segment = try p.segment(bytes: page)
      p.expectErrno(.einval, when: "for address 1") { try p.attach(segment, at: 1, flags: 0o60000) }
      p.expectErrno(.einval, when: "for address 0") { try p.attach(segment, at: 0, flags: 0o40000) }
      p.expectSignal(.unmapped, .store, 0)
      p.expect(try p.attach(segment) >= 1 << 16, "an address of the kernel's choice")
      p.expectAttachments(segment, 1)
    },
    ScenarioCase("shmctl01", "Attachments count exactly: by attaching, by forks, by detaching, by ends.") {
      p in
      let segment = try p.segment(bytes: 2 * page)
      p.expectAttachments(segment, 0)
      let at = try p.attach(segment)
      let again = try p.attach(segment)
      p.expectAttachments(segment, 2)
      let children = try (0..<3).map { _ in try p.fork() }
      p.expectAttachments(segment, 8)
      try children[0].detach(at)
      p.expectAttachments(segment, 7)
      try children[1].execute()
      p.expectAttachments(segment, 5)
      for child in children { child.exit() }
      p.expectAttachments(segment, 2)
      for place in [at, again] { try p.detach(place) }
      p.expectAttachments(segment, 0)
    },
    ScenarioCase(
      "shmctl04", "SHM_INFO counts segments, their pages, and which of them are in memory or in swap.",
      needs: Needs(swapPages: 64)
    ) { p in
      let first = try p.segment(bytes: 8 * page)
      _ = try p.segment(bytes: 3 * page + 1)
      let at = try p.attach(first)
      p.fill(at, pages: 5)
      try p.advise(at, pages: 2, .pageOut)
      let answer = p.scratch(12 * page)
      p.expect(try p.control(0, 14, buffer: answer), 1, "the highest index in use")
      p.expect(p.loadWord(answer, bytes: 4), 2, "segments")
      p.expect(p.loadWord(answer + 8), 12, "pages of all segments")
      p.expect(p.loadWord(answer + 16), 3, "pages in memory")
      p.expect(p.loadWord(answer + 24), 2, "pages in swap")
      p.expectFilled(at, pages: 5)
      p.expectErrno(.efault) { try p.control(0, 14, buffer: 8) }
    },
    ScenarioCase(
      "shmctl07", "A locked segment says so, and stays in memory until it is unlocked.",
      needs: Needs(swapPages: 64)
    ) { p in
      let segment = try p.segment(bytes: 4 * page)
      let at = try p.attach(segment)
      p.fill(at, pages: 4)
      try p.control(segment, 11)
      p.expect(try p.status(segment).mode, 0o2600, "the mode of a locked one")
      p.reclaim()
      p.expectResident(at, [true, true, true, true])
      try p.control(segment, 12)
      p.expect(try p.status(segment).mode, 0o600, "the mode of an unlocked one")
      for _ in 0..<3 { p.reclaim() }
      p.expectResident(at, [false, false, false, false])
      p.expectFilled(at, pages: 4)
    },
    ScenarioCase("shmdt01", "What was detached is not there any more, for this process alone.") { p in
      let segment = try p.segment(bytes: 2 * page)
      let at = try p.attach(segment)
      p.fill(at, pages: 2)
      let child = try p.fork()
      try p.detach(at)
      p.expectAttachments(segment, 1)
      p.expectSignal(.unmapped, .store, at)
      p.expectSignal(.unmapped, .load, at + page)
      child.expectFilled(at, pages: 2)
      child.exit()
      p.expectAttachments(segment, 0)
      p.expectFilled(try p.attach(segment), pages: 2)
    },
    ScenarioCase("sysv-shm.removed", "A removed segment lives until its last attachment goes.") { p in
      let segment = try p.segment(key: 5, bytes: 64 * page)
      let at = try p.attach(segment)
      p.fill(at, pages: 64)
      try p.inChild { child in
        try child.removeSegment(segment)
        child.expectFilled(at, pages: 64)
      }
      p.expect(try p.status(segment).mode, 0o1600, "the mode of one that was removed")
      p.expect(try p.segment(key: 5, bytes: page) != segment, "a new segment for the key")
      let free = p.host.freeFrames
      try p.unmap(at, pages: 32)
      p.expectFilled(at + 32 * page, pages: 32, from: 32)
      try p.unmap(at + 32 * page, pages: 32)
      p.expectErrno(.einval, when: "once it is gone") { try p.attach(segment) }
      p.expect(p.host.freeFrames >= free + 64, "its frames are free again")
    },
    ScenarioCase("sysv-shm.replace", "SHM_REMAP takes the place of what is there; without it that stays.") {
      p in
      let segment = try p.segment(bytes: 2 * page)
      let at = try p.map(4)
      p.fill(at, pages: 4)
      p.expectErrno(.einval, when: "where something is mapped") { try p.attach(segment, at: at + page) }
      p.expectFilled(at, pages: 4)
      p.expect(try p.attach(segment, at: at + page, flags: 0o40000), at + page, "the address")
      p.expectLayout(at, [.area(1), .area(2, shared: true, offset: 0), .area(1)])
      p.expectZero(at + page, bytes: 2 * page)
      p.expectFilled(at, pages: 1)
      p.expectFilled(at + 3 * page, pages: 1, from: 3)
    },
  ]

  private static let segmentErrors: [ScenarioCase] = [
    ScenarioCase("shmat02", "Unknown segments, addresses inside a page and other users are refused.") { p in
      let segment = try p.segment(bytes: page)
      p.expectErrno(.einval, when: "for an unknown segment") { try p.attach(segment + 7) }
      p.expectErrno(.einval, when: "inside a page") { try p.attach(segment, at: base + page - 1) }
      try p.inChild { child in
        (child.user, child.privileges) = (99, [])
        p.expectErrno(.eacces) { try child.attach(segment) }
      }
      p.expectAttachments(segment, 0)
    },
    ScenarioCase("shmctl02", "What a caller may not do, or what is not there, is refused.") { p in
      let segment = try p.segment(bytes: page)
      try p.inChild { child in
        (child.user, child.privileges) = (99, [])
        p.expectErrno(.eacces, when: "for IPC_STAT") { try child.status(segment) }
        p.expectErrno(.eperm, when: "for IPC_RMID") { try child.removeSegment(segment) }
        p.expectErrno(.eperm, when: "for IPC_SET") { try child.change(segment, owner: 99, mode: 0o777) }
        p.expectErrno(.eperm, when: "for SHM_LOCK") { try child.control(segment, 11) }
      }
      for command in [1, 2] as [UInt64] {
        p.expectErrno(.efault, when: "for command \(command)") { try p.control(segment, command, buffer: 8) }
      }
      p.expectErrno(.einval, when: "for an unknown command") { try p.control(segment, 99) }
      p.expectErrno(.einval, when: "for an unknown segment") { try p.status(segment + 5) }
      try p.removeSegment(segment)
      p.expectErrno(.einval, when: "once it is removed") { try p.status(segment) }
    },
    ScenarioCase("shmdt02", "Addresses where no attachment begins are refused.") { p in
      let segment = try p.segment(bytes: 2 * page)
      let at = try p.attach(segment)
      p.expectErrno(.einval, when: "inside a page") { try p.detach(at + 5) }
      p.expectErrno(.einval, when: "in the middle") { try p.detach(at + page) }
      p.expectErrno(.einval, when: "where nothing is") { try p.detach(base) }
      p.expectErrno(.einval, when: "for other memory") { try p.detach(try p.map(1)) }
      p.expectLayout(at, [.area(2, shared: true)])
    },
    ScenarioCase("shmget02", "Keys, sizes and rights that do not fit are refused.", needs: Needs(hugePool: 2))
    { p in
      _ = try p.segment(key: 4, bytes: 2 * page)
      p.expectErrno(.enoent) { try p.segment(key: 5, bytes: page, flags: 0o600) }
      p.expectErrno(.eexist) { try p.segment(key: 4, bytes: page, flags: 0o3600) }
      p.expectErrno(.einval, when: "for no bytes") { try p.segment(key: 5, bytes: 0) }
      p.expectErrno(.einval, when: "for more than there can be") { try p.segment(key: 5, bytes: .max) }
      p.expectErrno(.einval, when: "for more than it has") {
        try p.segment(key: 4, bytes: 2 * page + 1, flags: 0o600)
      }
      p.expectErrno(.enomem, when: "for more than the pool") {
        try p.segment(key: 5, bytes: 3 * huge, flags: 0o5600)
      }
      try p.inChild { child in
        (child.user, child.privileges) = (99, [])
        p.expectErrno(.eacces) { try child.segment(key: 4, bytes: page, flags: 0o600) }
        p.expectErrno(.eperm, when: "for huge pages") {
          try child.segment(key: 5, bytes: huge, flags: 0o5600)
        }
      }
      p.expect(p.administration.segments.count, 1, "segments")
    },
    ScenarioCase("shmget03", "Beyond the limit of segments no more is made.") { p in
      p.administration.maximumSegments = 4
      let segments = try (0..<4).map { _ in try p.segment(bytes: page) }
      p.expectErrno(.enospc) { try p.segment(bytes: page) }
      try p.removeSegment(segments[0])
      p.expectSuccess("making one when another is gone") { try p.segment(bytes: page) }
      p.expectErrno(.enospc) { try p.segment(bytes: page) }
    },
  ]
}
