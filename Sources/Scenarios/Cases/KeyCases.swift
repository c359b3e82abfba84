// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let pkeys = ScenarioGroup("pkeys", isComplete: true, pkeysCases)

  private static let pkeysCases: [ScenarioCase] = [
    ScenarioCase("pkey01", "A key's rights count beside those of the mapping, and key 0 gives access back.") {
      p in
      let file = try p.file(size: 4 * page)
      let mappings = [
        try p.map(1), try p.map(1, .shared), try p.map(1, file: file), try p.map(1, .shared, file: file),
        try p.map(1, flags: .populate),
      ]
      for at in mappings {
        p.store(at, 3)
        for (rights, isReadable) in [(0, true), (2, true), (1, false), (3, false)] as [(UInt64, Bool)] {
          let key = try p.allocateKey(rights: rights)
          try p.protect(at, [.read, .write, .execute], key: key)
          try p.inChild { child in
            if isReadable { child.expectLoad(at, 3) } else { child.expectSignal(.keyForbids, .load, at) }
            if rights == 0 { child.store(at + 1, 4) } else { child.expectSignal(.keyForbids, .store, at) }
            child.expectAllowed(.fetch, at)
          }
          try p.protect(at, [.read, .write], key: 0)
          try p.call(.pkeyFree, ["key": key])
          p.expectLoad(at, 3)
          p.store(at, 3)
        }
      }
    },
    ScenarioCase(
      "pkeys.register", "A program changes a key's rights without the kernel, at once and for itself."
    ) { p in
      let at = try p.map(2)
      p.fill(at, pages: 2)
      let key = try p.allocateKey()
      try p.protect(at, [.read, .write], key: key)
      p.keyRights[UInt8(key)] = 2
      p.expectSignal(.keyForbids, .store, at)
      p.expectFilled(at, pages: 2)
      p.keyRights[UInt8(key)] = 1
      p.expectSignal(.keyForbids, .load, at)
      p.expectLoad(at + page + 13, 2 | 1)
      try p.inChild { $0.expectSignal(.keyForbids, .load, at) }
      p.keyRights[UInt8(key)] = 0
      p.expectFilled(at, pages: 2)
    },
    ScenarioCase("pkeys.kernel", "The kernel does for a program only what its keys allow.") { p in
      let at = try p.map(1)
      p.store(at, "keyed")
      let key = try p.allocateKey(rights: 1)
      try p.protect(at, [.read, .write], key: key)
      let file = try p.file("text of a file")
      p.expectErrno(.efault, when: "to write from there") { try p.write(file, from: at, 5) }
      p.expectErrno(.efault, when: "to read into it") { try p.read(file, into: at, 5, at: 0) }
      p.expectContents(file, "text of a file")
      let other = try p.fork()
      try other.protect(at, [.read, .write], key: 0)
      let mine = try p.map(1)
      p.expect(try p.transfer(mine, with: other, at, bytes: 5, .store), 5, "bytes of another process")
      p.expectLoads(mine, "keyed")
      other.exit()
    },
    ScenarioCase(
      "pkeys.supply", "There are fifteen keys to allocate; unknown ones are refused, free ones come again."
    ) { p in
      let at = try p.map(1)
      var keys: [UInt64] = []
      for _ in 0..<15 { keys.append(try p.allocateKey()) }
      p.expect(keys, Array(1...15), "keys")
      p.expectErrno(.enospc, when: "for one more") { try p.allocateKey() }
      try p.call(.pkeyFree, ["key": 7])
      p.expectErrno(.einval, when: "to use a free key") { try p.protect(at, .read, key: 7) }
      p.expectErrno(.einval, when: "to free it twice") { try p.call(.pkeyFree, ["key": 7]) }
      p.expect(try p.allocateKey(), 7, "the key that comes again")
      p.expectErrno(.einval, when: "for rights that nobody knows") { try p.allocateKey(rights: 4) }
      p.expectErrno(.einval, when: "for flags") { try p.call(.pkeyAlloc, ["flags": 1, "rights": 0]) }
      p.administration.hasProtectionKeys = false
      p.expectErrno(.enospc, when: "without such hardware") { try p.allocateKey() }
    },
  ]
}
