// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let fork = ScenarioGroup("fork", isComplete: true, forkCases)
  static let clone = ScenarioGroup("clone", isComplete: true, cloneCases)

  private static let forkCases: [ScenarioCase] = [
    ScenarioCase("fork01", "A child is there from its fork to its end, and leaves its parent as it was.") {
      p in
      let at = try p.map(4)
      p.fill(at, pages: 4)
      let child = try p.fork()
      p.expect(p.administration.processes, [1, child.pid], "processes")
      child.fill(at, pages: 4, seed: 40)
      child.exit()
      p.expect(p.administration.processes, [1], "processes")
      p.expectFilled(at, pages: 4)
    },
    ScenarioCase(
      "fork04", "A child has what its parent had; what either changes then the other does not see."
    ) { p in
      let at = try p.map(4)
      p.store(at, "HOME=/root")
      let child = try p.fork()
      child.expectLoads(at, "HOME=/root")
      child.store(at, "HOME=/tmp ")
      child.store(at + 2 * page, "NEW=1")
      p.expectLoads(at, "HOME=/root")
      p.expectZero(at + 2 * page)
      p.store(at + 3 * page, "LATE=1")
      child.expectZero(at + 3 * page)
      child.expectLoads(at, "HOME=/tmp ")
      child.exit()
      p.expectFaults { p.expectLoads(at, "HOME=/root") }
    },
    ScenarioCase("fork07", "Children that read one byte each read a file together to its end.") { p in
      let file = try p.file("abcdefghij")
      let at = try p.map(1)
      for number in 0..<10 as Range<UInt8> {
        try p.inChild { child in
          p.expect(try child.read(file, into: at, 1), 1, "bytes read")
          child.expectLoad(at, 97 + number)
        }
      }
      p.expect(try p.read(file, into: at, 1), 0, "bytes that are left")
      p.expectLoad(at, 0)
    },
    ScenarioCase(
      "fork08", "A descriptor that a child closes stays open for its parent, and the other way round."
    ) { p in
      let file = try p.file("text")
      let at = try p.map(1)
      let child = try p.fork()
      child.close(file)
      child.expectErrno(.ebadf) { try child.read(file, into: at, 1) }
      p.expect(try p.read(file, into: at, 4), 4, "bytes read")
      p.expectLoads(at, "text")
      let second = try p.fork()
      p.close(file)
      second.expectLoads(try second.map(1, file: file), "text")
      for program in [child, second] { program.exit() }
    },
    ScenarioCase("fork10", "Parent and child share the place in a file where reading goes on.") { p in
      let file = try p.file("onetwosix")
      let at = try p.map(1)
      try p.read(file, into: at, 3)
      p.expectLoads(at, "one")
      try p.inChild { child in
        try child.read(file, into: at, 3)
        child.expectLoads(at, "two")
      }
      p.expectLoads(at, "one")
      try p.read(file, into: at, 3)
      p.expectLoads(at, "six")
    },
    ScenarioCase(
      "fork_procs", "A hundred children, one after the other and some at once, leave nothing behind."
    ) { p in
      let at = try p.map(16)
      p.fill(at, pages: 16)
      try p.inChild { $0.store(at, 1) }
      let free = p.host.freeFrames
      for round in 0..<25 as Range<UInt64> {
        let children = try (0..<4).map { _ in try p.fork() }
        for child in children { child.store(at + round % 16 * page, 7) }
        for child in children { child.exit() }
      }
      p.expect(p.host.freeFrames, free, "free frames")
      p.expectFilled(at, pages: 16)
      p.expect(p.administration.processes, [1], "processes")
    },
    ScenarioCase("fork.refused", "A fork that runs out of memory leaves no child and changes nothing.") { p in
      let at = try p.map(64)
      p.fill(at, pages: 64)
      let free = p.host.freeFrames
      p.host.injectFailure(after: 1, staysBroken: true)
      p.expectErrno(.enomem) { try p.fork() }
      p.host.injectFailure(after: nil, staysBroken: false)
      p.expect(p.host.freeFrames, free, "free frames")
      p.expect(p.administration.processes, [1], "processes")
      p.expectFilled(at, pages: 64)
      p.fill(at, pages: 64, seed: 9)
    },
  ]

  private static let cloneCases: [ScenarioCase] = [
    ScenarioCase(
      "clone01", "A child in the same memory, on a stack of its own, comes and goes without a trace."
    ) { p in
      let stack = try p.map(4, flags: .stack)
      let child = try p.share()
      p.expect(p.administration.processes, [1, child.pid], "processes")
      child.fill(stack, pages: 4)
      child.exit()
      p.expect(p.administration.processes, [1], "processes")
      p.expectFilled(stack, pages: 4)
    },
    ScenarioCase("clone02", "What a child stores its parent sees with CLONE_VM, and does not see without.") {
      p in
      let at = try p.map(1)
      p.store(at, 1)
      let thread = try p.share()
      thread.store(at, 2)
      p.expectLoad(at, 2)
      p.store(at, 3)
      thread.expectLoad(at, 3)
      thread.exit()
      let child = try p.fork()
      child.store(at, 4)
      p.expectLoad(at, 3)
      child.exit()
      p.expectLoad(at, 3)
    },
    ScenarioCase("clone03", "A child tells its parent its number through shared memory.") { p in
      let at = try p.map(1, .shared)
      let child = try p.fork()
      child.storeWord(at, UInt64(child.pid))
      child.exit()
      p.expect(p.loadWord(at), UInt64(child.pid), "the number that the child stored")
    },
    ScenarioCase("clone05", "After a vfork child has ended, what it stored is there.") { p in
      let at = try p.map(2)
      let child = try p.share()
      child.store(at, 1)
      let theirs = try child.map(1)
      child.store(theirs, 5)
      child.exit()
      p.expectLoad(at, 1)
      p.expectLoad(theirs, 5)
      let second = try p.share()
      try second.execute()
      second.expectSignal(.unmapped, .load, at)
      p.expectLoad(at, 1)
      second.exit()
    },
    ScenarioCase("clone06", "A child without CLONE_VM sees what its parent had set.") { p in
      let at = try p.map(3, .private, flags: .growsDown)
      p.store(at + page, "TERM=dumb")
      let child = try p.fork()
      p.store(at + page, "TERM=none")
      child.expectLoads(at + page, "TERM=dumb")
      child.exit()
      p.expectLoads(at + page, "TERM=none")
    },
    ScenarioCase(
      "kcmp03",
      "Tasks with CLONE_VM have one address space: what one maps, protects or unmaps holds for all.",
      needs: Needs(cpus: 2)
    ) { p in
      let thread = try p.share()
      thread.run(on: 1)
      let at = try thread.map(4)
      p.fill(at, pages: 4)
      thread.expectFilled(at, pages: 4)
      try p.protect(at, .read)
      thread.expectSignal(.forbidden, .store, at)
      try thread.unmap(at + page)
      p.expectSignal(.unmapped, .load, at + page)
      try p.advise(at + 2 * page, .dontNeed)
      thread.expectZero(at + 2 * page)
      thread.expectLayout(at, [.area(1, .read), .hole(1), .area(2)])
      p.expectLayout(at, [.area(1, .read), .hole(1), .area(2)])
      let child = try p.fork()
      try child.unmap(at)
      p.expectAllowed(.load, at)
      for program in [thread, child] { program.exit() }
    },
    ScenarioCase("clone.unshare", "A task that stops sharing has a copy from then on.", needs: Needs(cpus: 2))
    { p in
      let at = try p.map(4)
      p.fill(at, pages: 4)
      let child = try p.share()
      child.run(on: 1)
      child.expectFilled(at, pages: 4)
      try p.host.unshare(child.pid)
      p.note("process \(child.pid) shares memory no more")
      child.fill(at, pages: 4, seed: 80)
      p.expectFilled(at, pages: 4)
      child.expectFilled(at, pages: 4, seed: 80)
      try child.unmap(at, pages: 4)
      p.expectFilled(at, pages: 4)
      child.exit()
    },
  ]
}
