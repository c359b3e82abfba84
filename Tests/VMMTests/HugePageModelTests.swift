// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import VMM

/// Random programs: every driver answers alike, and as a model of pages and bytes says.
struct HugePageModelTests {
  private struct Page: Equatable {
    var byte: UInt8 = 0
    var mayWrite = true
  }

  @Test(arguments: [UInt64(1), 2, 3]) func randomProgramsRunAlikeOnAllDrivers(_ seed: UInt64) throws {
    let policy: HugePagePolicy = seed % 3 == 0 ? .madvise : .always
    let computers = try TestDriver.allCases.map { try $0.computer(HugePageSettings(policy: policy)) }
    var random = Random(state: seed)
    var memory: [UInt32: [UInt64: Page]] = [1: [:]]
    for step in 0..<300 {
      try act(step, &random, &memory, computers, "seed \(seed), step \(step)")
      guard step % 20 == 19 else { continue }
      for computer in computers { computer.expectSound("seed \(seed), step \(step)") }
      compare(computers, memory, "seed \(seed), step \(step)")
    }
    for computer in computers { computer.finish() }
  }

  /// What must be the same everywhere.
  private func compare(_ computers: [any AnyComputer], _ memory: [UInt32: [UInt64: Page]], _ note: String) {
    for pid in memory.keys {
      let states = computers.map {
        "\($0.resident(pid: pid)) \($0.faults(pid: pid)) \($0.areaCount(pid: pid))"
      }
      #expect(Set(states).count == 1, "\(note): \(states)")
      for (number, expected) in memory[pid] ?? [:] where number % 16 == 5 {
        for computer in computers {
          #expect(computer.load(address(number), pid: pid) == .byte(expected.byte), "\(note), page \(number)")
        }
      }
    }
    #expect(computers.allSatisfy { $0.counts == computers[0].counts }, "\(note)")
  }

  private func address(_ number: UInt64) -> UInt64 { hugeBase + number * page }

  private func act(
    _ step: Int, _ random: inout Random, _ memory: inout [UInt32: [UInt64: Page]],
    _ computers: [any AnyComputer], _ note: String
  ) throws {
    let pids = memory.keys.sorted()
    let pid = pids[Int(random.next(UInt64(pids.count)))]
    // Two areas of eight huge pages, and ranges that like the edges of huge pages.
    var first = random.next(16 * 512)
    if random.next(3) == 0 { first &= ~511 }
    var count = 1 + random.next([8, 600, 1500][Int(random.next(3))])
    if random.next(4) == 0 { count = 512 * (1 + random.next(3)) }
    count = min(count, 16 * 512 - first)
    let range = first..<first + count
    var pages = memory[pid] ?? [:]
    var call: (SystemCallNumber, [UInt64])?
    switch random.next(15) {
    case 0, 1:
      call = (.mmap, [address(first), count * page, 3, 0x32, .max, 0])
      for number in range { pages[number] = Page() }
    case 2:
      call = (.munmap, [address(first), count * page])
      for number in range { pages[number] = nil }
    case 3:
      guard range.allSatisfy({ pages[$0] != nil }) else { return }
      let mayWrite = random.next(2) == 0
      call = (.mprotect, [address(first), count * page, mayWrite ? 3 : 1])
      for number in range { pages[number]?.mayWrite = mayWrite }
    case 4:
      guard range.allSatisfy({ pages[$0] != nil }) else { return }
      call = (.madvise, [address(first), count * page, 4])
      for number in range { pages[number]?.byte = 0 }
    case 5:
      guard range.allSatisfy({ pages[$0] != nil }) else { return }
      call = (.madvise, [address(first), count * page, 14 + random.next(2)])
    case 6:
      let refusals = computers.map { $0.refusal(.madvise, [address(first), count * page, 25], pid: pid) }
      #expect(Set(refusals.map { $0?.rawValue }).count == 1, "\(note): \(refusals)")
      return
    case 7:
      let made = computers.map { $0.collapseInBackground() }
      #expect(Set(made).count == 1, "\(note): \(made)")
      return
    case 8:
      if pids.count < 3 {
        let child = UInt32(step + 2)
        for computer in computers { try computer.fork(child, of: pid) }
        memory[child] = pages
      } else if pid != 1 {
        for computer in computers { computer.exit(pid) }
        memory[pid] = nil
      }
      return
    case 9:
      let target = random.next(2) == 0 ? random.next(16) * 512 + first % 512 : random.next(16 * 512)
      guard target + count <= 16 * 512, target + count <= first || first + count <= target,
        range.allSatisfy({ pages[$0] != nil })
      else { return }
      let arguments = [address(first), count * page, count * page, 3, address(target)]
      let refusals = computers.map { $0.refusal(.mremap, arguments, pid: pid) }
      #expect(Set(refusals.map { $0?.rawValue }).count == 1, "\(note): \(refusals)")
      guard refusals[0] == nil else { return }
      let moved = range.map { pages[$0] }
      for number in range { pages[number] = nil }
      for (offset, content) in moved.enumerated() { pages[target + UInt64(offset)] = content }
    default:
      try access(&random, &pages, first, pid, computers, note)
    }
    if let call {
      for computer in computers { _ = try computer.call(call.0, call.1, pid: pid) }
    }
    memory[pid] = pages
  }

  private func access(
    _ random: inout Random, _ pages: inout [UInt64: Page], _ first: UInt64, _ pid: UInt32,
    _ computers: [any AnyComputer], _ note: String
  ) throws {
    for number in first..<min(first + 1 + random.next(6), 16 * 512) {
      let expected: AccessOutcome
      let isStore = random.next(3) != 0
      let value = UInt8(random.next(255)) + 1
      if let known = pages[number] {
        expected = !isStore ? .byte(known.byte) : known.mayWrite ? .byte(value) : .refused(.notAllowed)
        if isStore, known.mayWrite { pages[number]?.byte = value }
      } else {
        expected = .refused(.notMapped)
      }
      for computer in computers {
        let outcome =
          isStore
          ? computer.store(address(number), value, pid: pid) : computer.load(address(number), pid: pid)
        #expect(outcome == expected, "\(note), page \(number)")
      }
    }
  }
}

/// SplitMix64.
struct Random {
  var state: UInt64
  mutating func next(_ bound: UInt64) -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return (mixed ^ (mixed >> 31)) % bound
  }
}
