// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let processVM = ScenarioGroup("process_vm", isComplete: true, processVMCases)

  private static let processVMCases: [ScenarioCase] = [
    ScenarioCase(
      "process_vm01", "Wrong flags, lengths, vectors, buffers and processes are refused, both ways."
    ) { p in
      let at = try p.map(4)
      p.fill(at, pages: 4)
      let other = try p.fork()
      let own = p.vector([(at, page)])
      let theirs = p.vector([(at + page, page)], at: 64)
      let endless = p.vector([(at, .max)], at: 128)
      let wild = p.vector([(page, page)], at: 192)
      let closed = p.vector([(try p.map(1, protection: []), page)], at: 256)
      let theirClosed = p.vector([(try other.map(1, protection: []), page)], at: 320)
      for number in [SystemCallNumber.processVmReadv, .processVmWritev] {
        func call(_ pid: UInt32, _ local: UInt64, _ remote: UInt64, _ flags: UInt64 = 0) throws -> UInt64 {
          try p.call(
            number,
            [
              "pid": UInt64(pid), "local": local, "count": 1, "remote": remote, "remoteCount": 1,
              "flags": flags,
            ])
        }
        p.expect(try call(p.pid, own, theirs), page, "bytes within itself")
        p.expect(try call(other.pid, own, theirs), page, "bytes")
        p.expectErrno(.einval, when: "for flags") { try call(other.pid, own, theirs, 1) }
        p.expectErrno(.einval, when: "for a local length of -1") { try call(other.pid, endless, theirs) }
        p.expectErrno(.einval, when: "for a remote length of -1") { try call(other.pid, own, endless) }
        p.expectErrno(.efault, when: "for a local vector that is not mapped") {
          try call(other.pid, page, theirs)
        }
        p.expectErrno(.efault, when: "for a remote vector that is not mapped") {
          try call(other.pid, own, page)
        }
        p.expectErrno(.efault, when: "for a local buffer that is not mapped") {
          try call(other.pid, wild, theirs)
        }
        p.expectErrno(.efault, when: "for a remote buffer that is not mapped") {
          try call(other.pid, own, wild)
        }
        p.expectErrno(.efault, when: "for a local buffer without rights") {
          try call(other.pid, closed, theirs)
        }
        p.expectErrno(.efault, when: "for a remote buffer without rights") {
          try call(other.pid, own, theirClosed)
        }
        p.expectErrno(.esrch, when: "for nobody") { try call(77, own, theirs) }
        let (user, privileges) = (p.user, p.privileges)
        p.user = 1000
        p.privileges = []
        p.expectErrno(.eperm, when: "for another user's process") { try call(other.pid, own, theirs) }
        p.user = user
        p.privileges = privileges
      }
      other.exit()
    },
    ScenarioCase("process_vm_readv02", "A reader gets what another process has in its heap, across pages.") {
      p in
      let owner = try p.fork()
      let heap = try owner.setBreak(0)
      try owner.setBreak(heap + 3 * page)
      owner.store(heap + page - 5, "in another heap")
      let at = try p.map(1)
      p.expect(try p.transfer(at, with: owner, heap + page - 5, bytes: 15, .store), 15, "bytes")
      p.expectLoads(at, "in another heap")
      p.expectSignal(.unmapped, .load, heap)
      owner.exit()
    },
    ScenarioCase(
      "process_vm_writev02", "A write reaches every byte of the target alone, not those it shared with."
    ) { p in
      let buffer = try p.map(25)
      p.fill(buffer, pages: 25)
      let target = try p.fork()
      let twin = try target.fork()
      let source = try p.map(25)
      for offset in stride(from: 0, to: 100_000, by: 211) as StrideTo<UInt64> {
        p.store(source + offset, 119)
      }
      p.expect(try p.transfer(source, with: target, buffer, bytes: 100_000, .load), 100_000, "bytes")
      for offset in stride(from: 0, to: 100_000, by: 211) as StrideTo<UInt64> {
        target.expectLoad(buffer + offset, 119)
      }
      p.expectFilled(buffer, pages: 25)
      twin.expectFilled(buffer, pages: 25)
      twin.exit()
      target.exit()
    },
    ScenarioCase(
      "process_vm.partial",
      "A copy ends before the first byte that cannot be reached, and says how far it came."
    ) { p in
      let at = try p.map(4)
      let other = try p.fork()
      other.fill(at, pages: 4)
      try other.unmap(at + 2 * page)
      p.expect(
        try p.transfer(at, with: other, at, bytes: 4 * page, .store), 2 * page, "bytes before the hole")
      p.expectFilled(at, pages: 2)
      p.expectLoad(at + 3 * page + 39, 0)
      let pieces = p.vector([(at, 10), (at + page, page)])
      let theirs = p.vector([(at + page, 20), (at + 3 * page, 100)], at: 64)
      let bytes = try p.call(
        .processVmReadv,
        [
          "pid": UInt64(other.pid), "local": pieces, "count": 2, "remote": theirs, "remoteCount": 2,
          "flags": 0,
        ])
      p.expect(bytes, 120, "bytes of pieces that are cut differently")
      p.expectLoad(at + page + 10 + 39, 4 | 1)
      other.exit()
    },
    ScenarioCase(
      "process_vm.rights", "Rights of the other process count as it asked for them; swapped pages are read.",
      needs: Needs(swapPages: 256, hugePages: .never)
    ) { p in
      let at = try p.map(2)
      let other = try p.fork()
      other.fill(at, pages: 2)
      try other.protect(at, .read)
      p.expectErrno(.efault, when: "to write what may only be read") {
        try p.transfer(at, with: other, at, bytes: 1, .load)
      }
      try other.protect(at, .write)
      p.expectErrno(.efault, when: "to read what may only be written") {
        try p.transfer(at, with: other, at, bytes: 1, .store)
      }
      try other.advise(at + page, .pageOut)
      p.expect(other.isPresent(at + page), false, "in memory")
      p.expect(try p.transfer(at, with: other, at + page + 13, bytes: 1, .store), 1, "bytes")
      p.expectLoad(at, 2 | 1)
      other.exit()
    },
  ]
}
