// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let openposix = ScenarioGroup(
    "openposix", isComplete: true, posixMappings, posixRefusals, posixEnds, posixLocks, posixObjects)

  /// mmap: contents, rights, sharing.
  private static let posixMappings: [ScenarioCase] = [
    ScenarioCase("opts/mmap/1-1", "A mapping shows the bytes of its file.") { p in
      let file = try p.file("a", size: 1024)
      let at = try p.map(1, .shared, file: file, bytes: 1024)
      p.expectLoad(at, 97)
      p.expectLoad(at + 1023, 0)
      p.expectLayout(at, [.area(1, shared: true, offset: 0)])
    },
    ScenarioCase("opts/mmap/1-2", "What is written to a shared-memory object is loaded through its mapping.")
    {
      p in
      let file = try p.file(size: 4 << 20, name: "/dev/shm/object")
      let at = try p.map(1024, .shared, file: file)
      for offset in [0, 5, page + 1, 2 << 20, (4 << 20) - 1] as [UInt64] {
        try p.write(file, at: offset, [UInt8(truncatingIfNeeded: offset >> 12) | 1])
        p.expectLoad(at + offset, UInt8(truncatingIfNeeded: offset >> 12) | 1)
      }
    },
    ScenarioCase("opts/mmap/3-1", "MAP_FIXED replaces by whole pages, though the lengths are parts of pages.")
    {
      p in
      let first = try p.file("first", size: 2 * page)
      let second = try p.file("second", size: 2 * page)
      try p.write(first, at: page, "first")
      try p.write(second, at: page - 6, "second")
      let at = try p.map(1, .shared, file: first, bytes: page + page / 2)
      let new = try p.map(1, .shared, file: second, bytes: page / 2, at: at)
      p.expect(new, at, "the address")
      p.expectLoads(at, "second")
      p.expectLoads(at + page - 6, "second")
      p.expectLoads(at + page, "first")
      p.expectLayout(at, [.area(1, shared: true, offset: 0), .area(1, shared: true, offset: page)])
    },
    ScenarioCase("opts/mmap/5-1", "All rights can be asked for, and the layout has what was asked for.") {
      p in
      let file = try p.file(size: page)
      for sharing in [Sharing.shared, .private] {
        for bits in 0..<8 as Range<UInt8> {
          let rights = Rights(rawValue: bits)
          let at = try p.map(1, sharing, file: file, protection: rights)
          p.expectLayout(at, [.area(1, rights, shared: sharing == .shared, offset: 0)])
          if rights.contains(.read) { p.expectLoad(at, 0) }
          if rights.contains(.write) { p.store(at, 0) } else { p.expectSignal(.segv, .store, at) }
          try p.unmap(at)
        }
      }
    },
    ScenarioCase("opts/mmap/6-1", "A store through a shared mapping for loads only is refused.") { p in
      let file = try p.file("kept", size: page)
      let at = try p.map(1, .shared, file: file, protection: .read)
      try p.inChild { $0.expectSignal(.forbidden, .store, at) }
      p.expectContents(file, "kept")
    },
    ScenarioCase("opts/mmap/6-2", "A load from a mapping without rights is refused.") { p in
      let file = try p.file("kept", size: page)
      let at = try p.map(1, .shared, file: file, protection: [])
      try p.inChild { $0.expectSignal(.forbidden, .load, at) }
    },
    ScenarioCase("opts/mmap/6-4", "A file opened for reading is not mapped shared for stores.") { p in
      p.close(try p.file("kept", size: page, name: "/tmp/readable"))
      let file = try p.open("/tmp/readable", .readOnly)
      p.expectErrno(.eacces) { try p.map(1, .shared, file: file, protection: .write) }
      p.expectErrno(.eacces) { try p.map(1, .shared, file: file, protection: [.read, .write]) }
      p.expect(p.mappedPages, 0, "mapped pages")
    },
    ScenarioCase("opts/mmap/6-5", "A file opened for reading can be mapped private for stores.") { p in
      p.close(try p.file("kept", size: page, name: "/tmp/readable"))
      let file = try p.open("/tmp/readable", .readOnly)
      let at = try p.map(1, .private, file: file)
      p.store(at, "lost")
      p.expectLoads(at, "lost")
      p.expectContents(file, "kept")
    },
    ScenarioCase("opts/mmap/6-6", "A file opened for writing is not mapped at all, not even private.") { p in
      p.close(try p.file(size: page, name: "/tmp/writable"))
      let file = try p.open("/tmp/writable", .writeOnly)
      for rights in [Rights.read, .write, []] {
        p.expectErrno(.eacces) { try p.map(1, .private, file: file, protection: rights) }
      }
    },
    ScenarioCase("opts/mmap/7-1", "A store through a shared mapping is found by the next mapping.") { p in
      let file = try p.file(size: page)
      let at = try p.map(1, .shared, file: file)
      p.store(at, 98)
      try p.sync(at)
      try p.unmap(at)
      p.expectLoad(try p.map(1, .shared, file: file, protection: .read), 98)
      p.expectContents(file, [98])
    },
    ScenarioCase(
      "opts/mmap/7-2", also: ["opts/munmap/4-1"], "A store through a private mapping is lost with it."
    ) {
      p in
      let file = try p.file("a", size: page)
      let at = try p.map(1, .private, file: file)
      p.store(at, 98)
      try p.sync(at)
      p.expectLoad(at, 98)
      try p.unmap(at)
      p.expectLoad(try p.map(1, .private, file: file), 97)
      p.expectContents(file, [97])
    },
    ScenarioCase(
      "opts/mmap/7-3", "What a parent stores in a private mapping its child's own mapping does not show."
    ) {
      p in
      let file = try p.file("a", size: page, name: "/dev/shm/object")
      let at = try p.map(1, .private, file: file)
      p.store(at, 98)
      try p.inChild { child in
        let own = try child.map(1, .private, file: file)
        child.expectLoad(own, 97)
        child.expectLoad(at, 98)
      }
    },
    ScenarioCase(
      "opts/mmap/7-4", "What a parent stores in a shared mapping its child's private mapping shows."
    ) { p in
      let file = try p.file("a", size: page, name: "/dev/shm/object")
      let at = try p.map(1, .shared, file: file)
      p.store(at, 98)
      try p.inChild { child in
        let own = try child.map(1, .private, file: file)
        child.expectLoad(own, 98)
        child.store(own, 99)
      }
      p.expectLoad(at, 98)
    },
    ScenarioCase("opts/mmap/10-1", "A mapping whose place is free is never at address 0, however often.") {
      p in
      let file = try p.file(size: page)
      let free = p.mappedPages
      for round in 0..<500 as Range<UInt64> {
        let at = try p.map(1 + round % 3, .shared, file: file)
        if at == 0 { p.expect(false, "an address other than 0 in round \(round)") }
        if round % 50 == 0 { p.expectLoad(at, 0) }
        try p.unmap(at, pages: 1 + round % 3)
      }
      p.expect(p.mappedPages, free, "mapped pages")
      let everything = p.host.userEnd
      p.expectErrno(.enomem, when: "for all addresses") { try p.map(bytes: everything) }
    },
    ScenarioCase("opts/mmap/12-1", "A mapping keeps its file alive without name and descriptor.") { p in
      let file = try p.file("still here", size: page, name: "/tmp/unlinked")
      let at = try p.map(1, .shared, file: file)
      try p.unlink("/tmp/unlinked")
      p.close(file)
      p.expectLoads(at, "still here")
      p.store(at, 90)
      p.expectSuccess("msync") { try p.sync(at) }
      p.expectLoad(at, 90)
      p.expectErrno(.enoent) { try p.open("/tmp/unlinked") }
    },
    ScenarioCase("opts/mmap/27-1", "MAP_PRIVATE and MAP_FIXED are supported.") { p in
      let file = try p.file("text", size: page)
      let at = try p.map(1, .private, file: file)
      p.expectLoads(at, "text")
      p.expect(try p.map(1, .private, file: file, at: at), at, "the fixed address")
      p.expectLoads(at, "text")
    },
    ScenarioCase(
      "opts/fork/16-1", "A child keeps mappings; its stores reach the parent through shared ones only."
    ) {
      p in
      let shared = try p.map(1, .shared, file: try p.file(size: page, name: "/dev/shm/shared"))
      let own = try p.map(1, .private, file: try p.file(size: page, name: "/dev/shm/private"))
      p.store(shared, 11)
      p.store(own, 12)
      try p.inChild { child in
        child.expectLoad(shared, 11)
        child.expectLoad(own, 12)
        child.store(shared, 21)
        child.store(own, 22)
        child.expectLoad(own, 22)
      }
      p.expectLoad(shared, 21)
      p.expectLoad(own, 12)
    },
  ]
}
