// SPDX-License-Identifier: MIT
import EMTCore
import Radix
import SimMemory
import Testing
import VMM

private let base: UInt64 = 0x10_0000_0000

/// Merging among everything else that happens to pages.
struct SamePagesModelTests {
  private struct HugePages: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>(bytes: 256 << 20, hugePages: HugePageSettings(policy: .always))
      try computer.kernel.setMergeMode(.merge)
      computer.kernel.samePages.settings.maximumSharing = 16
      _ = try computer.map(512, at: base, flags: 0x32)
      let kind = computer.store(base + 7 * page, 9)
      #expect(kind == .byte(9))
      guard computer.isHuge(base) else { return computer.finish() }
      computer.store(base + 8 * page, 9)
      let child = try computer.kernel.fork(computer.process, child: 2)
      try computer.call(.madvise, [base, 512 * page, 12])
      for _ in 0..<3 { computer.kernel.mergeSamePages(pages: .max) }
      #expect(!computer.isHuge(base), "it is split for merging")
      let merged = computer.kernel.samePages.counts
      #expect(merged.shared + merged.sharing == 512 && merged.shared == 33)
      #expect(computer.kernel.reverseMapFault() == nil && computer.kernel.brokenCount() == nil)
      for process in [computer.process, child] {
        for number in 0..<UInt64(40) {
          let byte: UInt8 = number == 7 || number == 8 ? 9 : 0
          #expect(computer.load(base + number * page, in: process) == .byte(byte))
        }
      }
      #expect(computer.store(base + 7 * page, 10) == .byte(10))
      #expect(computer.load(base + 7 * page, in: child) == .byte(9))
      #expect(computer.store(base + 9 * page, 11, in: child) == .byte(11))
      #expect(computer.load(base + 9 * page) == .byte(0))
      // Back to a huge page, of merged ones.
      try computer.call(.madvise, [base, 512 * page, 25])
      #expect(computer.isHuge(base))
      #expect(computer.load(base + 8 * page) == .byte(9) && computer.load(base + 7 * page) == .byte(10))
      #expect(computer.kernel.reverseMapFault() == nil && computer.kernel.brokenCount() == nil)
      computer.finish()
    }
  }

  @Test func hugePagesAreSplitToMerge() throws { try HugePages().runEverywhere() }

  /// Three processes and a model of their bytes; every step is checked, every page in the end.
  private struct Programs: Scenario {
    let seed: UInt64
    let digests: Digests

    final class Digests { var first: [UInt64]? }

    func run<Service: TranslationService>(_ service: Service.Type) throws {
      var random = Numbers(seed: seed)
      let computer = try Computer<Service>(bytes: 24 << 20)
      try computer.kernel.swapOn(pages: 512)
      try computer.kernel.setMergeMode(.merge)
      computer.kernel.samePages.settings.usesZeroPages = seed & 1 == 1
      computer.kernel.samePages.settings.maximumSharing = seed & 2 == 2 ? 3 : 256
      let pages: UInt64 = 24
      var model: [UInt32: [UInt8]] = [1: Array(repeating: 0, count: Int(pages))]
      _ = try computer.map(pages, at: base, flags: 0x32)
      try computer.call(.madvise, [base, pages * page, 12])
      var log: [UInt64] = []
      for step in 0..<400 {
        let pid = model.keys.sorted()[Int(random.next(UInt64(model.count)))]
        let process = try computer.kernel.process(pid)
        let number = random.next(pages)
        let address = base + number * page
        switch random.next(20) {
        case 0..<9:
          let byte = UInt8(random.next(3))
          #expect(computer.store(address, byte, in: process) == .byte(byte))
          model[pid]?[Int(number)] = byte
        case 9..<12:
          #expect(
            computer.load(address, in: process) == .byte(model[pid]?[Int(number)] ?? 0),
            "seed \(seed) step \(step)")
        case 12..<15: computer.kernel.mergeSamePages(pages: random.next(40))
        case 15: _ = computer.kernel.reclaim(node: 0, count: random.next(12))
        case 16:
          let length = min(pages - number, 3)
          try computer.call(.madvise, [address, length * page, 4], in: process)
          for gone in number..<number + length { model[pid]?[Int(gone)] = 0 }
        case 17:
          let length = min(pages - number, 5)
          try computer.call(.madvise, [address, length * page, 12 + random.next(2)], in: process)
        case 18:
          let child = UInt32(step + 2)
          guard model.count < 4 else {
            if pid != 1 {
              computer.kernel.exit(pid)
              model[pid] = nil
            }
            continue
          }
          _ = try computer.kernel.fork(process, child: child)
          model[child] = model[pid]
        default:
          if random.next(4) == 0 {
            try computer.kernel.setMergeMode(.unmerge)
            #expect(computer.kernel.samePages.counts.sharing == 0)
            try computer.kernel.setMergeMode(.merge)
          } else {
            try computer.call(.madvise, [address, page, 21], in: process)
          }
        }
        if step % 50 == 0 {
          #expect(computer.kernel.reverseMapFault() == nil, "seed \(seed) step \(step)")
          #expect(computer.kernel.brokenCount() == nil, "seed \(seed) step \(step)")
        }
        let counts = computer.kernel.samePages.counts
        log.append(counts.shared << 32 | counts.sharing << 16 | counts.unshared << 8 | counts.volatile)
      }
      for (pid, bytes) in model {
        for (number, byte) in bytes.enumerated() {
          let found = computer.load(base + UInt64(number) * page, in: try computer.kernel.process(pid))
          #expect(found == .byte(byte), "seed \(seed) process \(pid) page \(number)")
        }
      }
      // The job decides the same on every driver.
      if let first = digests.first { #expect(first == log, "seed \(seed)") } else { digests.first = log }
      computer.finish()
    }
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>) func randomPrograms(_ seed: UInt64) throws {
    try Programs(seed: seed, digests: Programs.Digests()).runEverywhere()
  }

  /// The n-th allocation fails while pages are merged and taken apart.
  private struct Exhaustion: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      for allowed in [0, 1, 3, 4, 5, 8] {
        let computer = try Computer<Service>(bytes: 32 << 20, hugePages: HugePageSettings(policy: .madvise))
        try computer.kernel.setMergeMode(.merge)
        computer.kernel.samePages.settings.maximumSharing = 8
        _ = try computer.map(1024, at: base, flags: 0x32)
        // One run has a huge page to split, which takes most of the time.
        let hasHugePage = allowed == 1 && Service.self == RadixService.self
        if hasHugePage { try computer.call(.madvise, [base + 512 * page, 512 * page, 14]) }
        for number in 0..<UInt64(6) { computer.store(base + number * page, 1 + UInt8(number / 3)) }
        computer.store(base + 600 * page, 1)
        try computer.call(.madvise, [base, 1024 * page, 12])
        let frames = computer.owner.platform.frames
        frames.injectFailure(after: allowed, staysBroken: true)
        for _ in 0..<3 { computer.kernel.mergeSamePages(pages: .max) }
        frames.stopInjectingFailures()
        #expect(computer.kernel.brokenCount() == nil)
        for _ in 0..<3 { computer.kernel.mergeSamePages(pages: .max) }
        let merged = computer.kernel.samePages.counts
        #expect(merged.shared >= 2)
        frames.injectFailure(after: allowed, staysBroken: true)
        if allowed & 1 == 0 {
          let refusal = computer.refusal(.madvise, [base, 6 * page, 13])
          #expect(refusal == nil || refusal == .eagain)
          #expect((refusal == nil) == (allowed == 8))
        } else {
          #expect(throws: Errno.enomem) { try computer.kernel.setMergeMode(.unmerge) }
          #expect(computer.kernel.samePages.mode == .stop)
        }
        frames.stopInjectingFailures()
        #expect(computer.kernel.brokenCount() == nil)
        for number in 0..<UInt64(6) {
          #expect(computer.load(base + number * page) == .byte(1 + UInt8(number / 3)))
          #expect(computer.store(base + number * page, 9) == .byte(9))
        }
        #expect(computer.load(base + 600 * page) == .byte(1))
        #expect(computer.load(base + 601 * page) == .byte(0))
        computer.finish()
      }
    }
  }

  @Test func theNthAllocationFails() throws { try Exhaustion().runEverywhere() }
}

/// Numbers that a seed decides (xorshift).
private struct Numbers {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
  mutating func next(_ bound: UInt64) -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return (state >> 11) % bound
  }
}

extension Computer {
  fileprivate func isHuge(_ address: UInt64) -> Bool { isHuge(address, pid: 1) }
}
