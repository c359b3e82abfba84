// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import VMM

private let base: UInt64 = 0x10_0000_0000
private let (mergeable, unmergeable): (UInt64, UInt64) = (12, 13)

extension Computer {
  /// Fills pages at `address` with bytes that `contents` and nothing else decides.
  fileprivate func fill(_ address: UInt64, _ pages: UInt64, _ contents: UInt8, in other: Proc? = nil) {
    for number in 0..<pages {
      for place in [0, 1000, 4095] as [UInt64] {
        #expect(store(address + number * page + place, contents, in: other) == .byte(contents))
      }
    }
  }

  fileprivate func expect(_ address: UInt64, _ pages: UInt64, _ contents: UInt8, in other: Proc? = nil) {
    for number in 0..<pages {
      for (place, byte) in [(0, contents), (1000, contents), (4095, contents), (77, 0)] as [(UInt64, UInt8)] {
        #expect(
          load(address + number * page + place, in: other) == .byte(byte), "page \(number) byte \(place)")
      }
    }
  }

  /// Three full scans: one to see pages, one to find them unchanged, one for what was found meanwhile.
  fileprivate func scan() {
    for _ in 0..<3 { kernel.mergeSamePages(pages: .max) }
    #expect(kernel.brokenCount() == nil)
    #expect(kernel.reverseMapFault() == nil)
  }

  fileprivate var merging: MergeCounts { kernel.samePages.counts }

  fileprivate func expect(
    shared: UInt64, sharing: UInt64, unshared: UInt64 = 0, volatile: UInt64 = 0, _ note: String
  ) {
    #expect(merging.shared == shared, "\(note)")
    #expect(merging.sharing == sharing, "\(note)")
    #expect(merging.unshared == unshared, "\(note)")
    #expect(merging.volatile == volatile, "\(note)")
  }
}

/// Equal pages are merged, and nobody can tell but by counters.
struct SamePagesTests {
  private struct Phases: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      try computer.kernel.setMergeMode(.merge)
      let size: UInt64 = 24
      var processes = [computer.process]
      for pid in 2...3 as ClosedRange<UInt32> { processes.append(try computer.kernel.start(pid)) }
      for (process, contents) in zip(processes, [99, 97, 97] as [UInt8]) {
        _ = try computer.map(size, at: base, flags: 0x32, in: process)
        computer.fill(base, size, contents, in: process)
        try computer.call(.madvise, [base, size * page, mergeable], in: process)
      }
      let free = computer.owner.platform.frames.freeFrames
      computer.scan()
      computer.expect(shared: 2, sharing: 3 * size - 2, "phase 1")
      #expect(computer.owner.platform.frames.freeFrames == free + 3 * size - 2)
      #expect(computer.merging.fullScans == 3)
      computer.expect(base, size, 99, in: processes[0])
      computer.expect(base, size, 97, in: processes[1])

      computer.fill(base, size, 98, in: processes[1])
      computer.scan()
      computer.expect(shared: 3, sharing: 3 * size - 3, "phase 2")
      for (process, contents) in zip(processes, [99, 98, 97] as [UInt8]) {
        computer.expect(base, size, contents, in: process)
      }

      for process in processes { computer.fill(base, size, 100, in: process) }
      computer.store(base + 5 * page + 77, 1, in: processes[1])
      computer.scan()
      computer.expect(shared: 1, sharing: 3 * size - 2, unshared: 1, "phase 3")
      #expect(computer.load(base + 5 * page + 77, in: processes[1]) == .byte(1))
      computer.expect(base, size, 100, in: processes[2])

      try computer.kernel.setMergeMode(.unmerge)
      computer.expect(shared: 0, sharing: 0, "phase 4")
      #expect(computer.merging.fullScans == 0)
      #expect(computer.owner.platform.frames.freeFrames == free)
      computer.expect(base, size, 100, in: processes[0])
      #expect(computer.load(base + 5 * page + 77, in: processes[1]) == .byte(1))
      #expect(computer.kernel.mergeSamePages(pages: 1000) == 0)
      try computer.kernel.setMergeMode(.merge)
      computer.scan()
      computer.expect(shared: 1, sharing: 3 * size - 2, unshared: 1, "again")
      computer.kernel.exit(3)
      computer.scan()
      computer.expect(shared: 1, sharing: 2 * size - 2, unshared: 1, "less one process")
      computer.finish()
    }
  }

  @Test("ksm01: exact counters through four phases, and data always intact")
  func phases() throws { try Phases().runEverywhere() }

  private struct Families: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      try computer.kernel.setMergeMode(.merge)
      _ = try computer.map(8, at: base, flags: 0x32)
      let other = try computer.map(8, at: base + 64 * page, flags: 0x32)
      computer.fill(base, 8, 5)
      computer.fill(other, 8, 6)
      try computer.call(.madvise, [base, 128 * page, mergeable], expecting: .enomem)
      computer.scan()
      computer.expect(shared: 2, sharing: 14, "two contents")
      let child = try computer.kernel.fork(computer.process, child: 2)
      #expect(computer.kernel.reverseMapFault() == nil)
      #expect(computer.store(base, 50) == .byte(50))
      #expect(computer.store(base + page, 51, in: child) == .byte(51))
      #expect(computer.load(base, in: child) == .byte(5))
      #expect(computer.load(base + page) == .byte(5))
      computer.scan()
      computer.expect(shared: 2, sharing: 28, unshared: 2, "a child's pages are merged as well")
      // Moved pages are found by the same keys.
      let moved = try computer.call(.mremap, [other, 8 * page, 8 * page, 3, 0x30_0000_0000])
      #expect(computer.kernel.reverseMapFault() == nil)
      computer.expect(moved, 8, 6)
      computer.expect(other, 8, 6, in: child)
      // Rights change and come back; a part goes.
      try computer.call(.mprotect, [moved, 4 * page, 1])
      #expect(computer.store(moved, 1) == .refused(.notAllowed))
      try computer.call(.mprotect, [moved, 4 * page, 3])
      #expect(computer.store(moved, 1) == .byte(1))
      #expect(computer.load(moved + page) == .byte(6))
      try computer.call(.munmap, [moved + 4 * page, 2 * page])
      try computer.call(.madvise, [moved + 6 * page, page, 4])
      #expect(computer.load(moved + 6 * page) == .byte(0))
      computer.kernel.exit(1)
      computer.expect(other, 8, 6, in: child)
      #expect(computer.load(base + page, in: child) == .byte(51))
      computer.scan()
      computer.expect(shared: 2, sharing: 13, unshared: 1, "only the child is left")
      // The last sharer of a merged page writes: it gets a copy, and the merged page goes.
      let free = computer.owner.platform.frames.freeFrames
      computer.fill(other, 8, 9, in: child)
      #expect(computer.owner.platform.frames.freeFrames == free - 7)
      computer.finish()
    }
  }

  @Test func childrenMovesAndStores() throws { try Families().runEverywhere() }

  private struct Swapping: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      for policy in [ReclaimPolicy.activeInactive, .generations] {
        let computer = try Computer<Service>()
        computer.kernel.reclaimPolicy = policy
        let area = try computer.kernel.swapOn(pages: 64)
        try computer.kernel.setMergeMode(.merge)
        _ = try computer.map(8, at: base, flags: 0x32)
        let stranger = try computer.kernel.start(2)
        _ = try computer.map(4, at: base, flags: 0x32, in: stranger)
        computer.fill(base, 8, 5)
        computer.fill(base, 4, 5, in: stranger)
        for process in [computer.process, stranger] {
          try computer.call(.prctl, [67, 1, 0, 0, 0], in: process)
        }
        computer.scan()
        computer.expect(shared: 1, sharing: 11, "one page for all")
        #expect(computer.kernel.reclaim(node: 0, count: 100) >= 1)
        #expect(computer.process.space.residentPages == 0 && stranger.space.residentPages == 0)
        #expect(computer.process.space.swappedPages == 8 && stranger.space.swappedPages == 4)
        #expect(computer.kernel.swap.used == 1, "one slot for all")
        computer.scan()
        computer.expect(shared: 0, sharing: 0, "what is in swap is not merged")
        computer.expect(base, 2, 5)
        computer.expect(base, 2, 5, in: stranger)
        #expect(computer.kernel.reverseMapFault() == nil)
        #expect(computer.store(base, 7) == .byte(7))
        #expect(computer.store(base + 3 * page, 8, in: stranger) == .byte(8))
        #expect(computer.load(base + 3 * page + 1000, in: stranger) == .byte(5))
        let child = try computer.kernel.fork(stranger, child: 3)
        computer.scan()
        #expect(computer.load(base + 3 * page, in: child) == .byte(8))
        computer.expect(base, 3, 5, in: child)
        try computer.kernel.swapOff(area)
        computer.expect(base + page, 7, 5)
        #expect(computer.load(base) == .byte(7))
        computer.scan()
        computer.expect(base + page, 7, 5)
        computer.finish()
      }
    }
  }

  @Test func mergedPagesGoToSwapAndComeBack() throws { try Swapping().runEverywhere() }

  private struct Settings: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      try computer.kernel.setMergeMode(.merge)
      computer.kernel.samePages.settings.maximumSharing = 4
      _ = try computer.map(16, at: base, flags: 0x32)
      computer.fill(base, 10, 3)
      computer.fill(base + 10 * page, 6, 0)
      try computer.call(.madvise, [base, 16 * page, mergeable])
      computer.scan()
      #expect(computer.merging.shared + computer.merging.sharing + computer.merging.unshared == 16)
      #expect(computer.merging.shared == 5 && computer.merging.duplicates == 5)
      #expect(computer.merging.zeroPages == 0)
      try computer.call(.madvise, [base, 16 * page, unmergeable])
      computer.expect(shared: 0, sharing: 0, "taken apart by its process")
      computer.kernel.samePages.settings.maximumSharing = 256
      computer.kernel.samePages.settings.usesZeroPages = true
      try computer.call(.madvise, [base, 16 * page, mergeable])
      let free = computer.owner.platform.frames.freeFrames
      computer.scan()
      computer.expect(shared: 1, sharing: 9, "the others are the page of zeroes")
      #expect(computer.merging.zeroPages == 6)
      #expect(computer.owner.platform.frames.freeFrames == free + 9 + 6)
      computer.expect(base, 10, 3)
      computer.expect(base + 10 * page, 6, 0)
      #expect(computer.store(base + 12 * page, 1) == .byte(1))
      computer.expect(base + 13 * page, 3, 0)
      // The checksum gate: a page that changes before every scan is never merged.
      for round in 0..<4 as Range<UInt8> {
        computer.fill(base + 12 * page, 2, 30 + round)
        computer.kernel.mergeSamePages(pages: .max)
        #expect(computer.merging.volatile == 2)
      }
      computer.kernel.mergeSamePages(pages: .max)
      #expect(
        computer.merging.volatile == 0 && computer.merging.shared == 2 && computer.merging.sharing == 10)
      computer.finish()
    }
  }

  @Test func limitsZeroesAndChecksums() throws { try Settings().runEverywhere() }

  private struct Budgets: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      try computer.kernel.setMergeMode(.merge)
      #expect(computer.kernel.mergeSamePages(pages: 10) == 0)
      #expect(computer.merging.fullScans == 0, "nobody asked for it")
      _ = try computer.map(10, at: base, flags: 0x32)
      computer.fill(base, 10, 3)
      // Files and shared memory are passed by without an error; private copies of file pages are not.
      let file = try computer.memfd(size: 4 * page)
      let shared = try computer.call(.mmap, [0, 4 * page, 3, 1, file, 0])
      let copies = try computer.call(.mmap, [0, 4 * page, 3, 2, file, 0])
      computer.fill(shared, 4, 3)
      computer.fill(copies, 2, 3)
      _ = computer.load(copies + 3 * page)
      for (start, pages) in [(base, 10), (shared, 4), (copies, 4)] as [(UInt64, UInt64)] {
        try computer.call(.madvise, [start, pages * page, mergeable])
      }
      for _ in 0..<9 { computer.kernel.mergeSamePages(pages: 5) }
      #expect(computer.merging.fullScans == 3)
      computer.expect(shared: 1, sharing: 11, "private pages only")
      computer.expect(shared, 4, 3)
      computer.expect(copies, 4, 3)
      let work = computer.owner.work
      #expect(work[.ksmd, .pageScanned] > 0 && work[.ksmd, .pageReplaced] == 11)
      #expect(work[.systemCall, .pageScanned] == 0)
      computer.store(copies, 4)
      #expect(computer.load(shared) == .byte(3))
      computer.finish()
    }
  }

  @Test func whatIsLookedAt() throws { try Budgets().runEverywhere() }

  @Test func processesThatMergeEverything() throws {
    let computer = try RadixComputer()
    try computer.kernel.setMergeMode(.merge)
    let early = try computer.map(4)
    computer.fill(early, 4, 3)
    for unused in 2..<5 {
      var arguments: [UInt64] = [67, 1, 0, 0, 0]
      arguments[unused] = 1
      #expect(computer.refusal(.prctl, arguments) == .einval)
    }
    #expect(computer.refusal(.prctl, [68, 1, 0, 0, 0]) == .einval)
    #expect(computer.refusal(.prctl, [1000, 0, 0, 0, 0]) == .einval)
    #expect(try computer.call(.prctl, [68, 0, 0, 0, 0]) == 0)
    try computer.call(.prctl, [67, 1, 0, 0, 0])
    #expect(try computer.call(.prctl, [68, 0, 0, 0, 0]) == 1)
    let late = try computer.map(4)
    computer.fill(late, 4, 3)
    let child = try computer.kernel.fork(computer.process, child: 2)
    #expect(try computer.call(.prctl, [68, 0, 0, 0, 0], in: child) == 1)
    computer.scan()
    computer.expect(shared: 1, sharing: 15, "both processes, both areas")
    try computer.kernel.execute(child)
    #expect(try computer.call(.prctl, [68, 0, 0, 0, 0], in: child) == 1)
    computer.scan()
    computer.expect(shared: 1, sharing: 7, "the child has a new program")
    try computer.call(.prctl, [67, 0, 0, 0, 0])
    computer.scan()
    computer.expect(shared: 0, sharing: 0, "no more")
    computer.expect(early, 4, 3)
    computer.finish()
  }
}
