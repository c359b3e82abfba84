// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  private static let pool = Needs(hugePool: 8)
  private static let base: UInt64 = 0x80_0000_0000
  /// IPC_CREAT, SHM_HUGETLB, and everything for the owner.
  private static let make: UInt64 = 0o5600

  /// Segments of pooled huge pages: contents and lives.
  static let hugeSegments: [ScenarioCase] = [
    ScenarioCase(
      "hugefork02", "Processes of three generations share one segment, and read what others wrote.",
      needs: pool
    ) { p in
      let segment = try p.segment(bytes: 6 * huge, flags: make)
      let at = try p.attach(segment)
      var family = [p]
      for number in 0..<6 as Range<UInt64> {
        let child = try family[Int(number) / 2].fork()
        child.store(at + number * huge + number, UInt8(number + 1))
        family.append(child)
      }
      for member in family {
        for number in 0..<6 as Range<UInt64> {
          member.expectLoad(at + number * huge + number, UInt8(number + 1))
        }
      }
      p.expectAttachments(segment, 7)
      p.expectPool(8, free: 2)
      for child in family.dropFirst() { child.exit() }
      p.expectAttachments(segment, 1)
    },
    ScenarioCase(
      "hugeshmat01", "Attachments are where they were asked for, and show one memory.", needs: pool
    ) { p in
      let segment = try p.segment(bytes: 2 * huge, flags: make)
      p.expectPool(8, free: 8, reserved: 2, when: "when a segment is made")
      for (address, flags, expected) in [(0, 0, 0), (base, 0, base), (base + 100, 0o20000, base)]
        as [(UInt64, UInt64, UInt64)]
      {
        let at = try p.attach(segment, at: address, flags: flags)
        p.expect(address == 0 ? at % huge : at, expected, "the address")
        p.fillHuge(at, 2, seed: UInt8(address % 31) + 3)
        p.expectHuge(at, 2, seed: UInt8(address % 31) + 3)
        let status = try p.status(segment)
        p.expect(status.attachments, 1, "attachments")
        p.expect(status.bytes, 2 * huge, "the size")
        try p.detach(at)
      }
      let at = try p.attach(segment, flags: 0o10000)
      p.expectHuge(at, 2, seed: UInt8((base + 100) % 31) + 3)
      p.expectSignal(.forbidden, .store, at)
      p.expectLayout(at, [.area(1024, .read, shared: true)])
    },
    ScenarioCase("hugeshmat04", "Forks, attachments and ends of processes leak no page.", needs: pool) { p in
      for round in 0..<4 as Range<UInt8> {
        let segment = try p.segment(bytes: 3 * huge, flags: make)
        let at = try p.attach(segment)
        p.fillHuge(at, 2, seed: round)
        for _ in 0..<3 {
          try p.inChild { child in
            child.expectHuge(at, 2, seed: round)
            try child.detach(at)
            let again = try child.attach(segment)
            child.store(again + 2 * huge, round)
          }
        }
        p.expectPool(8, free: 5)
        try p.detach(at)
        try p.removeSegment(segment)
        p.expectPool(8, free: 8)
      }
    },
    ScenarioCase(
      "hugeshmat05", "Segments of odd sizes are rounded up to whole pages, but keep their size.", needs: pool
    ) { p in
      for bytes in [1, page, huge - 1, huge, huge + 1, 3 * huge - page] as [UInt64] {
        let pages = (bytes + huge - 1) / huge
        let segment = try p.segment(bytes: bytes, flags: make)
        p.expectPool(8, free: 8, reserved: pages)
        let at = try p.attach(segment)
        p.fillHuge(at, pages)
        p.expectHuge(at, pages)
        p.expect(try p.status(segment).bytes, bytes, "the size")
        p.expectLayout(at, [.area(pages * 512, shared: true)])
        try p.detach(at)
        p.expectSignal(.unmapped, .load, at + bytes - 1)
        try p.removeSegment(segment)
      }
      p.expectPool(8, free: 8)
    },
    ScenarioCase(
      "hugeshmctl01", "Attachments of processes and children are counted; mode and owner can be set.",
      needs: pool
    ) { p in
      let segment = try p.segment(key: 7, bytes: huge, flags: make)
      for _ in 0..<2 { _ = try p.attach(segment) }
      let child = try p.fork()
      p.expectAttachments(segment, 4)
      let at = try child.attach(segment)
      let status = try p.status(segment)
      p.expect(status.attachments, 5, "attachments")
      p.expect(status.creator, 1, "the process that made it")
      p.expect(status.lastUser, UInt64(child.pid), "the process that attached last")
      try p.change(segment, owner: 5, mode: 0o444)
      p.expect(try p.status(segment).mode, 0o444, "the mode")
      p.expect(try p.status(segment).owner, 5, "the owner")
      try p.removeSegment(segment)
      p.expect(try p.status(segment).mode, 0o1444, "the mode of one that goes with its last attachment")
      child.store(at, 8)
      p.expectErrno(.enoent, when: "for the key of a removed one") {
        try p.segment(key: 7, bytes: huge, flags: 0o4000)
      }
      child.exit()
      p.expectAttachments(segment, 2)
    },
    ScenarioCase(
      "hugeshmdt01", "After the last detachment nothing is there, and the segment keeps its bytes.",
      needs: pool
    ) { p in
      let segment = try p.segment(bytes: huge, flags: make)
      let at = try p.attach(segment)
      p.fillHuge(at, 1)
      p.expectAttachments(segment, 1)
      try p.detach(at)
      p.expectAttachments(segment, 0)
      p.expectSignal(.unmapped, .store, at)
      p.expectErrno(.einval, when: "a second time") { try p.detach(at) }
      p.expectPool(8, free: 7)
      p.expectHuge(try p.attach(segment), 1)
    },
    ScenarioCase(
      "hugeshmget01", "A new segment has the size, mode and creator that it was made with.", needs: pool
    ) { p in
      let segment = try p.segment(key: 9, bytes: huge + 5, flags: make | 0o40)
      let status = try p.status(segment)
      let expected = SegmentStatus(
        key: 9, owner: 0, mode: 0o640, bytes: huge + 5, creator: 1, lastUser: 0, attachments: 0)
      p.expect(status, expected, "what IPC_STAT says")
      p.expect(try p.segment(key: 9, bytes: huge, flags: 0o4000), segment, "the segment of a known key")
    },
    ScenarioCase(
      "hugeshmget06", "Each page of a segment keeps its own letter, in other processes as well.", needs: pool
    ) { p in
      let segment = try p.segment(bytes: 8 * huge, flags: make)
      let at = try p.attach(segment)
      for number in 0..<8 as Range<UInt64> { p.store(at + number * huge + 77, 97 + UInt8(number)) }
      try p.inChild { child in
        let again = try child.attach(segment)
        for number in 0..<8 as Range<UInt64> {
          child.expectLoad(again + number * huge + 77, 97 + UInt8(number))
        }
      }
      try p.detach(at)
      let later = try p.attach(segment)
      for number in 0..<8 as Range<UInt64> { p.expectLoad(later + number * huge + 77, 97 + UInt8(number)) }
    },
  ]

  /// What is refused of segments of pooled huge pages.
  static let hugeSegmentErrors: [ScenarioCase] = [
    ScenarioCase("hugeshmat02", "Unknown segments and addresses inside a huge page are refused.", needs: pool)
    { p in
      let segment = try p.segment(bytes: huge, flags: make)
      p.expectErrno(.einval, when: "for an unknown segment") { try p.attach(segment + 1) }
      p.expectErrno(.einval, when: "inside a base page") { try p.attach(segment, at: base + 5) }
      p.expectErrno(.einval, when: "inside a huge page") { try p.attach(segment, at: base + page) }
      p.expectAttachments(segment, 0)
    },
    ScenarioCase(
      "hugeshmat03", "A segment that is its owner's alone is not attached by another user.", needs: pool
    ) { p in
      let segment = try p.segment(bytes: huge, flags: make)
      try p.inChild { child in
        (child.user, child.privileges) = (99, [])
        p.expectErrno(.eacces) { try child.attach(segment) }
        p.expectErrno(.eacces) { try child.attach(segment, flags: 0o10000) }
      }
      try p.change(segment, owner: 0, mode: 0o604)
      try p.inChild { child in
        (child.user, child.privileges) = (99, [])
        p.expectErrno(.eacces, when: "for writing") { try child.attach(segment) }
        child.expectZeroHuge(try child.attach(segment, flags: 0o10000))
      }
    },
    ScenarioCase(
      "hugeshmctl02", "Buffers that are not mapped, unknown segments and commands are refused.", needs: pool
    ) { p in
      let segment = try p.segment(bytes: huge, flags: make)
      for command in [1, 2] as [UInt64] {
        p.expectErrno(.efault, when: "for command \(command)") { try p.control(segment, command, buffer: 8) }
        p.expectErrno(.einval, when: "for command \(command)") {
          try p.control(segment + 9, command, buffer: p.scratch())
        }
      }
      p.expectErrno(.einval, when: "for an unknown command") { try p.control(segment, 77) }
      try p.removeSegment(segment)
      p.expectErrno(.einval, when: "once it is removed") { try p.removeSegment(segment) }
      p.expectPool(8, free: 8)
    },
    ScenarioCase(
      "hugeshmctl03", "Other users neither read nor change what a segment is, nor remove it.", needs: pool
    ) { p in
      let segment = try p.segment(bytes: huge, flags: make)
      try p.inChild { child in
        (child.user, child.privileges) = (99, [])
        p.expectErrno(.eacces, when: "for IPC_STAT") { try child.status(segment) }
        p.expectErrno(.eperm, when: "for IPC_SET") { try child.change(segment, owner: 99, mode: 0o666) }
        p.expectErrno(.eperm, when: "for IPC_RMID") { try child.removeSegment(segment) }
      }
      p.expect(try p.status(segment).mode, 0o600, "the mode")
    },
    ScenarioCase(
      "hugeshmget02", "Sizes, keys and page sizes that cannot be are refused, and promise nothing.",
      needs: pool
    ) { p in
      _ = try p.segment(key: 7, bytes: huge, flags: make)
      p.expectErrno(.eexist) { try p.segment(key: 7, bytes: huge, flags: make | 0o2000) }
      p.expectErrno(.einval, when: "for more than it has") {
        try p.segment(key: 7, bytes: huge + 1, flags: 0o4000)
      }
      p.expectErrno(.enoent) { try p.segment(key: 8, bytes: huge, flags: 0o4000) }
      p.expectErrno(.einval, when: "for no bytes") { try p.segment(key: 8, bytes: 0, flags: make) }
      p.expectErrno(.einval, when: "for pages of 4 MiB") {
        try p.segment(key: 8, bytes: huge, flags: make | 22 << 26)
      }
      p.expectErrno(.enomem, when: "for more than the pool") {
        try p.segment(key: 8, bytes: 9 * huge, flags: make)
      }
      p.expectPool(8, free: 8, reserved: 1)
    },
    ScenarioCase("hugeshmget03", "Beyond the limit of segments no more is made.", needs: pool) { p in
      p.administration.maximumSegments = 3
      let segments = try (0..<3).map { _ in try p.segment(bytes: huge, flags: make) }
      p.expectErrno(.enospc) { try p.segment(bytes: huge, flags: make) }
      p.expectPool(8, free: 8, reserved: 3)
      try p.removeSegment(segments[1])
      p.expectSuccess("making one when another is gone") { try p.segment(bytes: huge, flags: make) }
    },
    ScenarioCase(
      "hugeshmget05", "Another user does not get a segment by its key, and needs a right to make one.",
      needs: pool
    ) { p in
      _ = try p.segment(key: 7, bytes: huge, flags: make)
      try p.inChild { child in
        (child.user, child.privileges) = (99, [])
        p.expectErrno(.eacces) { try child.segment(key: 7, bytes: huge, flags: 0o4600) }
        p.expectErrno(.eperm, when: "without the right to lock memory") {
          try child.segment(key: 8, bytes: huge, flags: make)
        }
        child.privileges = .lockMemory
        p.expectSuccess("making one with it") { try child.segment(key: 8, bytes: huge, flags: make) }
      }
    },
  ]
}
