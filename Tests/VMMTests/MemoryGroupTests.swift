// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import VMM

/// Groups whose memory is counted and limited together.
struct MemoryGroupTests {
  private struct Charges: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      let (kernel, process) = (computer.kernel, computer.process)
      let before = try computer.map(4)
      for number in 0..<UInt64(4) { computer.store(before + number * page, 1) }
      let group = try kernel.makeGroup("a")
      try kernel.move(process, toGroup: group)
      #expect(try kernel.group(group).usage == 0, "what was there before stays where it was charged")
      let data = try computer.map(50)
      for number in 0..<UInt64(50) { computer.store(data + number * page, UInt8(number)) }
      let file = try computer.memfd(size: 20 * page)
      let shared = try computer.call(.mmap, [0, 20 * page, 3, 1, file, 0])
      for number in 0..<UInt64(20) { computer.store(shared + number * page, 1) }
      kernel.follow(process, FileCall(.openat, [0, 0, 0x242], strings: [1: "/data"], result: 9))
      kernel.follow(process, FileCall(.pwrite, [9, 0, 8 * page, 0], strings: [:], result: 8 * page))
      let mapped = try computer.call(.mmap, [0, 8 * page, 1, 1, 9, 0])
      for number in 0..<UInt64(8) { #expect(computer.load(mapped + number * page) == .byte(0)) }
      var statistics = try kernel.statistics(ofGroup: group)
      #expect(statistics.anonymous == 50 && statistics.cache == 28)
      #expect(statistics.sharedMemory == 20 && statistics.mappedFile == 28)
      #expect(statistics.faults == 78 && statistics.majorFaults == 8)
      #expect(try kernel.group(group).usage == 78)
      // A page of zeroes, and pages of the past, cost nothing.
      let zeroes = try computer.map(4)
      #expect(computer.load(zeroes) == .byte(0))
      computer.store(before, 2)
      try computer.call(.mlock, [data, 10 * page])
      try computer.call(.munmap, [shared, 20 * page])
      statistics = try kernel.statistics(ofGroup: group)
      #expect(statistics.anonymous == 50 && statistics.unevictable == 10)
      #expect(statistics.cache == 28 && statistics.mappedFile == 8, "the memfd keeps its pages")
      // Children are in the group; what they copy is charged once.
      let child = try kernel.fork(process, child: 2)
      #expect(kernel.group(of: child) == group)
      for number in 0..<UInt64(10) { computer.store(data + (20 + number) * page, 99, in: child) }
      #expect(try kernel.group(group).usage == 88)
      #expect(kernel.brokenCount() == nil)
      kernel.exit(2)
      #expect(try kernel.group(group).usage == 78)
      try computer.call(.munmap, [data, 50 * page])
      #expect(try kernel.group(group).usage == 28)
      #expect(try kernel.group(group).peak == 88)
      try kernel.resetPeak(ofGroup: group)
      #expect(try kernel.group(group).peak == 28)
      #expect(kernel.brokenCount() == nil)
      computer.finish()
    }
  }

  @Test("memcg_stat, _usage_in_bytes, _max_usage_in_bytes: pages are charged by what they are")
  func charges() throws { try Charges().runEverywhere() }

  private struct Limits: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      let (kernel, process) = (computer.kernel, computer.process)
      try kernel.swapOn(pages: 256)
      let outside = try kernel.start(2)
      let other = try computer.map(16, in: outside)
      for number in 0..<UInt64(16) { computer.store(other + number * page, UInt8(number), in: outside) }
      let group = try kernel.makeGroup("a")
      try kernel.setLimit(ofGroup: group, bytes: 32 * page + 100)
      #expect(try kernel.group(group).limit == 32, "whole pages")
      try kernel.move(process, toGroup: group)
      // Three times the limit works with swap, and takes nothing from others.
      let data = try computer.map(96)
      for round in 0..<UInt8(2) {
        for number in 0..<UInt64(96) {
          let value = UInt8(number) &+ round
          #expect(computer.store(data + number * page, value) == .byte(value))
          #expect(try kernel.group(group).usage <= 32)
        }
        for number in 0..<UInt64(96) {
          #expect(computer.load(data + number * page) == .byte(UInt8(number) &+ round))
        }
      }
      #expect(try kernel.group(group).failures > 0)
      #expect(try kernel.statistics(ofGroup: group).swapped >= 64)
      #expect(outside.space.residentPages >= 16 && outside.space.swappedPages == 0)
      #expect(kernel.brokenCount() == nil && kernel.reverseMapFault() == nil)
      // Pages of files as well: they are written back.
      kernel.follow(process, FileCall(.openat, [0, 0, 0x242], strings: [1: "/data"], result: 9))
      kernel.follow(process, FileCall(.pwrite, [9, 0, 64 * page, 0], strings: [:], result: 64 * page))
      let mapped = try computer.call(.mmap, [0, 64 * page, 3, 1, 9, 0])
      for number in 0..<UInt64(64) { computer.store(mapped + number * page, UInt8(number)) }
      for number in 0..<UInt64(64) { #expect(computer.load(mapped + number * page) == .byte(UInt8(number))) }
      #expect(try kernel.group(group).usage <= 32)
      try kernel.resetFailures(ofGroup: group)
      #expect(try kernel.group(group).failures == 0)
      // A smaller limit reclaims at once.
      try kernel.setLimit(ofGroup: group, bytes: 8 * page)
      #expect(try kernel.group(group).usage <= 8)
      for number in 0..<UInt64(96) {
        #expect(computer.load(data + number * page) == .byte(UInt8(number) &+ 1))
      }
      #expect(kernel.brokenCount() == nil)
      computer.finish()
    }
  }

  @Test("memcg_limit_in_bytes, _failcnt: at the limit a group reclaims its own pages")
  func limits() throws { try Limits().runEverywhere() }

  private struct Killing: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      let kernel = computer.kernel
      let group = try kernel.makeGroup("a")
      try kernel.setLimit(ofGroup: group, bytes: 40 * page)
      var members: [Computer<Service>.Proc] = []
      for pid in 2...3 as ClosedRange<UInt32> {
        let member = try kernel.start(pid)
        try kernel.move(member, toGroup: group)
        members.append(member)
      }
      let outside = try computer.map(64)
      for number in 0..<UInt64(64) { computer.store(outside + number * page, 7) }
      let places = try members.map { try computer.map(64, in: $0) }
      for number in 0..<UInt64(30) { computer.store(places[0] + number * page, 5, in: members[0]) }
      // Without swap nothing can go: the larger member does, and the smaller one gets its page.
      for number in 0..<UInt64(20) {
        #expect(computer.store(places[1] + number * page, 6, in: members[1]) == .byte(6))
      }
      #expect(kernel.processes[2] == nil && kernel.processes[3] != nil)
      #expect(try kernel.group(group).kills == 1 && kernel.group(group).shortages == 1)
      #expect(kernel.shortageReport?.contains("group a") == true)
      #expect(try kernel.group(group).usage == 20)
      // A process that is alone in the way is told; under the limit it goes on.
      for number in 20..<UInt64(40) {
        #expect(computer.store(places[1] + number * page, 6, in: members[1]) == .byte(6))
      }
      #expect(computer.store(places[1] + 40 * page, 6, in: members[1]) == .outOfMemory)
      #expect(computer.store(places[1] + 39 * page, 8, in: members[1]) == .byte(8))
      for number in 0..<UInt64(64) { #expect(computer.load(outside + number * page) == .byte(7)) }
      // Locked memory cannot go either, and limits cannot fall below it.
      try kernel.swapOn(pages: 128)
      try computer.call(.mlock, [places[1], 40 * page], in: members[1])
      #expect(computer.store(places[1] + 40 * page, 6, in: members[1]) == .outOfMemory)
      #expect(computer.refusal { try kernel.setLimit(ofGroup: group, bytes: 10 * page) } == .ebusy)
      #expect(try kernel.group(group).limit == 40)
      try computer.call(.munlockall, [], in: members[1])
      #expect(computer.store(places[1] + 40 * page, 6, in: members[1]) == .byte(6))
      #expect(kernel.brokenCount() == nil)
      computer.finish()
    }
  }

  @Test("memcg_control: when nothing can be reclaimed the largest process of the group ends, and no other")
  func killing() throws { try Killing().runEverywhere() }

  private struct Moves: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      let (kernel, process) = (computer.kernel, computer.process)
      let whole = try kernel.makeGroup("whole")
      let (first, second) = (try kernel.makeGroup("a", in: whole), try kernel.makeGroup("b", in: whole))
      #expect(computer.refusal { try kernel.makeGroup("a", in: whole) } == .eexist)
      #expect(computer.refusal { try kernel.makeGroup("a", in: 77) } == .enoent)
      func usage() throws -> [UInt64] { try [whole, first, second].map { try kernel.group($0).usage } }
      try kernel.move(process, toGroup: first)
      let data = try computer.map(64)
      for number in 0..<UInt64(10) { computer.store(data + number * page, 1) }
      #expect(try usage() == [10, 10, 0])
      try kernel.move(process, toGroup: second)
      for number in 10..<UInt64(15) { computer.store(data + number * page, 1) }
      #expect(try usage() == [15, 10, 5], "charges stay in the group where they came about")
      #expect(try kernel.statistics(ofGroup: first).faults == 10)
      #expect(try kernel.statistics(ofGroup: second).faults == 5)
      #expect(try kernel.statistics(ofGroup: whole).faults == 15)
      // The limit of the whole counts for its parts.
      try kernel.swapOn(pages: 64)
      try kernel.setLimit(ofGroup: whole, bytes: 16 * page)
      for number in 15..<UInt64(40) { computer.store(data + number * page, 1) }
      #expect(try usage()[0] <= 16)
      #expect(try kernel.group(whole).failures > 0 && kernel.group(second).failures == 0)
      #expect(computer.refusal { try kernel.removeGroup(whole) } == .ebusy)
      #expect(computer.refusal { try kernel.removeGroup(second) } == .ebusy)
      try kernel.removeGroup(first)
      #expect(computer.refusal { try kernel.group(first) } == .enoent)
      try kernel.move(process, toGroup: 0)
      try kernel.removeGroup(second)
      #expect(try kernel.statistics(ofGroup: whole).anonymous == kernel.group(whole).usage)
      for number in 0..<UInt64(40) { #expect(computer.load(data + number * page) == .byte(1)) }
      #expect(kernel.brokenCount() == nil)
      try computer.call(.munmap, [data, 64 * page])
      #expect(try kernel.group(whole).usage == 0)
      computer.finish()
    }
  }

  @Test("memcg_subgroup_charge: groups have parts, and charges do not move with processes")
  func moves() throws { try Moves().runEverywhere() }

  private struct Everything: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      // Huge pages, merging, migration and swap in a group: every frame is charged to somebody, or nobody.
      let computer = try Computer<Service>(
        bytes: 64 << 20, hugePages: HugePageSettings(policy: .always), nodes: 2, cpus: 2)
      let (kernel, process) = (computer.kernel, computer.process)
      let (group, base) = (try kernel.makeGroup("a"), numaData * 2)
      try kernel.move(process, toGroup: group)
      try kernel.swapOn(pages: 2048)
      try kernel.setMergeMode(.merge)
      _ = try computer.map(1024, at: base, flags: 0x32)
      computer.store(base, 3)
      #expect(try kernel.group(group).usage == 512)
      #expect(try kernel.statistics(ofGroup: group).anonymous == 512)
      // A second huge page would be beyond the limit: base pages do.
      try kernel.setLimit(ofGroup: group, bytes: 600 * page)
      computer.store(base + huge, 4)
      #expect(try kernel.group(group).usage == 513)
      try computer.call(.munmap, [base + page, 100 * page])
      #expect(try kernel.group(group).usage == 413)
      _ = try computer.map(20, at: numaData, flags: 0x32)
      for number in 0..<UInt64(20) { computer.store(numaData + number * page + 9, 77) }
      try computer.call(.madvise, [numaData, 20 * page, 12])
      for _ in 0..<3 { kernel.mergeSamePages(pages: .max) }
      #expect(try kernel.group(group).usage == 414)
      #expect(kernel.brokenCount() == nil)
      _ = try computer.map(1, at: numaArguments, flags: 0x32)
      let failed = try computer.call(
        .migratePages, [1, 65, computer.mask(0), computer.mask(1, at: 64)])
      #expect(failed == 0)
      let usage = try kernel.group(group).usage
      #expect(usage == 415)
      #expect(kernel.brokenCount() == nil)
      try computer.call(.madvise, [base, 2 * huge, 21], expecting: .enomem)
      #expect(try kernel.group(group).usage < 100)
      #expect(computer.load(base) == .byte(3))
      #expect(computer.load(base + huge) == .byte(4))
      for number in 0..<UInt64(20) { #expect(computer.load(numaData + number * page + 9) == .byte(77)) }
      #expect(kernel.brokenCount() == nil && kernel.reverseMapFault() == nil)
      kernel.exit(1)
      #expect(try kernel.group(group).usage == 0)
      computer.finish()
    }
  }

  @Test func chargesFollowPagesWhateverHappensToThem() throws { try Everything().runEverywhere() }
}
