// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  /// mlock, mlockall and their counterparts.
  static let posixLocks: [ScenarioCase] = [
    ScenarioCase("opts/mlock/5-1", "Memory of the heap can be locked.") { p in
      let heap = try p.setBreak(0)
      try p.setBreak(heap + 2 * page)
      try p.lock(heap, bytes: page + 10)
      p.expect(p.lockedPages, 2, "locked pages")
      p.expect(p.presentPages(heap, pages: 2), 2, "pages in memory")
    },
    ScenarioCase("opts/mlock/8-1", "Addresses where nothing is mapped are not locked.") { p in
      p.expectErrno(.enomem) { try p.lock(UInt64(Int64.max) & ~(page - 1)) }
      p.expectErrno(.enomem) { try p.lock(page) }
      p.expect(p.lockedPages, 0, "locked pages")
    },
    ScenarioCase("opts/mlock/10-1", "An address inside a page locks that page.") { p in
      let at = try p.map(2)
      try p.lock(at + page + 1, bytes: 8)
      p.expect(p.lockedPages, 1, "locked pages")
      p.expect(p.isPresent(at + page), true, "in memory")
    },
    ScenarioCase("opts/mlock/12-1", "Who may not lock anything is refused.") { p in
      let at = try p.map(1)
      p.user = 1000
      p.privileges = []
      try p.setLimit(.lockedMemory, 0, ceiling: 0)
      p.expectErrno(.eperm) { try p.lock(at) }
      p.expectErrno(.eperm, when: "in a mapping") { try p.map(1, flags: .locked) }
      p.expect(p.lockedPages, 0, "locked pages")
    },
    ScenarioCase("opts/mlockall/3-6", "Locked pages of a shared-memory object are not invalidated.") { p in
      let file = try p.file("kept", size: page, name: "/dev/shm/object")
      let at = try p.map(1, .shared, file: file)
      try p.lockAll(1)
      p.expectErrno(.ebusy) { try p.sync(at, flags: 4 | 2) }
      p.expectLoads(at, "kept")
      try p.unlockAll()
      p.expectSuccess("invalidating unlocked pages") { try p.sync(at, flags: 4 | 2) }
    },
    ScenarioCase("opts/mlockall/3-7", "Locked pages of a file are not invalidated, though it is empty.") {
      p in
      let file = try p.file()
      let at = try p.map(1, .shared, file: file)
      try p.lockAll(1)
      p.expectErrno(.ebusy) { try p.sync(at, flags: 4 | 2) }
      p.expectErrno(.ebusy) { try p.sync(at, flags: 2) }
      p.expect(p.lockedPages, 1, "locked pages")
    },
    ScenarioCase("opts/mlockall/8-1", "Everything can be locked.") { p in
      let at = try p.map(3)
      _ = try p.map(2, protection: [])
      try p.lockAll(1)
      p.expect(p.lockedPages, 5, "locked pages")
      p.expect(p.presentPages(at, pages: 3), 3, "pages in memory")
    },
    ScenarioCase("opts/mlockall/13-1", "No flags are refused.") { p in
      p.expectErrno(.einval) { try p.lockAll(0) }
    },
    ScenarioCase("opts/mlockall/13-2", "Flags that nobody knows are refused, alone and with known ones.") {
      p in
      for flags in [8, 16, 3 | 8, 1 << 31, 0xFFFF_FFFF] as [UInt64] {
        p.expectErrno(.einval, when: "for \(flags)") { try p.lockAll(flags) }
      }
    },
    ScenarioCase("opts/mlockall/15-1", "Who may not lock anything is refused, for later too.") { p in
      _ = try p.map(1)
      p.user = 1000
      p.privileges = []
      try p.setLimit(.lockedMemory, 0, ceiling: 0)
      p.expectErrno(.eperm) { try p.lockAll(1) }
      p.expectErrno(.eperm) { try p.lockAll(2) }
      p.expectSuccess("a mapping") { try p.map(1) }
    },
    ScenarioCase("opts/munlock/7-1", "What is locked can be unlocked.") { p in
      let at = try p.map(2)
      try p.lock(at, pages: 2)
      try p.unlock(at, pages: 2)
      p.expect(p.lockedPages, 0, "locked pages")
    },
    ScenarioCase("opts/munlock/10-1", "Addresses where nothing is mapped are not unlocked.") { p in
      p.expectErrno(.enomem) { try p.unlock(UInt64(Int64.max) & ~(page - 1)) }
      p.expectErrno(.enomem) { try p.unlock(page) }
    },
    ScenarioCase("opts/munlock/11-1", "An address inside a page unlocks that page.") { p in
      let at = try p.map(2)
      try p.lock(at, pages: 2)
      try p.unlock(at + page + 1, bytes: 8)
      p.expect(p.lockedPages, 1, "locked pages")
      p.expectLayout(at, [.area(1), .area(1)])
    },
    ScenarioCase("opts/munlockall/5-1", "Everything can be unlocked, whether it is locked or not.") { p in
      _ = try p.map(2)
      p.expectSuccess("without locks") { try p.unlockAll() }
      try p.lockAll(3)
      try p.unlockAll()
      p.expect(p.lockedPages, 0, "locked pages")
    },
  ]

  /// shm_open and shm_unlink: objects with names.
  static let posixObjects: [ScenarioCase] = [
    ScenarioCase("opts/shm_open/1-1", "Two who open a name share one object.") { p in
      let first = try p.file(size: page, name: "/dev/shm/object")
      let at = try p.map(1, .shared, file: first)
      try p.inChild { child in
        let second = try child.open("/dev/shm/object")
        let there = try child.map(1, .shared, file: second)
        child.store(there, "a string")
      }
      p.expectLoads(at, "a string")
    },
    ScenarioCase(
      "opts/shm_open/14-2", "An object opened again for both ways shows its data and takes stores."
    ) { p in
      let first = try p.file("data", size: page, name: "/dev/shm/object")
      p.close(first)
      let second = try p.open("/dev/shm/object", .readWrite)
      let at = try p.map(1, .shared, file: second)
      p.expectLoads(at, "data")
      p.store(at, "DATA")
      p.expectContents(second, "DATA")
      p.expect(p.size(second), page, "the object's size")
    },
    ScenarioCase("opts/shm_open/25-1", "Opening with O_TRUNC empties an object, for mappings too.") { p in
      let first = try p.file("data", size: page, name: "/dev/shm/object")
      let at = try p.map(1, .shared, file: first)
      p.expectLoads(at, "data")
      let second = try p.open("/dev/shm/object", .readWrite, truncates: true)
      p.expect(p.size(second), 0, "the object's size")
      p.expectSignal(.beyondEnd, .load, at)
    },
    ScenarioCase("opts/shm_open/28-1", "An object with a name lives without descriptors and mappings.") { p in
      let file = try p.file(size: page, name: "/dev/shm/object")
      let at = try p.map(1, .shared, file: file)
      p.store(at, "lasting")
      try p.unmap(at)
      p.close(file)
      let again = try p.open("/dev/shm/object")
      p.expectLoads(try p.map(1, .shared, file: again), "lasting")
    },
    ScenarioCase("opts/shm_open/28-2", "A mapping keeps an object without name and descriptor.") { p in
      let file = try p.file(size: 2 * page, name: "/dev/shm/object")
      let at = try p.map(2, .shared, file: file)
      p.fill(at, pages: 2)
      try p.unlink("/dev/shm/object")
      p.close(file)
      p.expectFilled(at, pages: 2)
      p.fill(at, pages: 2, seed: 9)
      p.expectFilled(at, pages: 2, seed: 9)
    },
    ScenarioCase("opts/shm_open/28-3", "A descriptor keeps an object without name and mapping.") { p in
      let file = try p.file(size: page, name: "/dev/shm/object")
      let at = try p.map(1, .shared, file: file)
      p.store(at, "kept")
      try p.unmap(at)
      try p.unlink("/dev/shm/object")
      p.expectLoads(try p.map(1, .shared, file: file), "kept")
    },
    ScenarioCase("opts/shm_unlink/2-1", "An unlinked name leads nowhere, though the object is open.") { p in
      let file = try p.file("data", size: page, name: "/dev/shm/object")
      try p.unlink("/dev/shm/object")
      p.expectErrno(.enoent) { try p.open("/dev/shm/object") }
      p.expectErrno(.enoent, when: "for the second time") { try p.unlink("/dev/shm/object") }
      p.expectContents(file, "data")
    },
    ScenarioCase("opts/shm_unlink/3-1", "An unlinked object that is open can be mapped.") { p in
      let file = try p.file("data", size: page, name: "/dev/shm/object")
      try p.unlink("/dev/shm/object")
      let at = try p.map(1, .shared, file: file)
      p.expectLoads(at, "data")
      p.store(at, 90)
      p.expectContents(file, [90])
    },
    ScenarioCase("opts/shm_unlink/5-1", "After unlinking, the name is free for a new object.") { p in
      let file = try p.file("old", size: page, name: "/dev/shm/object")
      let at = try p.map(1, .shared, file: file)
      p.expectErrno(.eexist, when: "as long as it is there") {
        try p.open("/dev/shm/object", creates: true, exclusive: true)
      }
      try p.unlink("/dev/shm/object")
      let new = try p.open("/dev/shm/object", creates: true, exclusive: true)
      p.expect(p.size(new), 0, "the new object's size")
      try p.truncate(new, page)
      let there = try p.map(1, .shared, file: new)
      p.expectZero(there)
      p.store(there, "new")
      p.expectLoads(at, "old")
    },
    ScenarioCase(
      "openposix.readOnly", "Who opens an object for reading maps it for loads, and nobody can change that."
    ) {
      p in
      let file = try p.file("data", size: page, name: "/dev/shm/object")
      let readable = try p.open("/dev/shm/object", .readOnly)
      p.expectErrno(.eacces) { try p.map(1, .shared, file: readable) }
      let at = try p.map(1, .shared, file: readable, protection: .read)
      p.expectErrno(.eacces) { try p.protect(at, [.read, .write]) }
      try p.write(file, "DATA")
      p.expectLoads(at, "DATA")
      p.expectErrno(.einval, when: "to truncate") { try p.truncate(readable, 0) }
    },
  ]
}
