// SPDX-License-Identifier: MIT
internal import VMM

/// What not every Linux kernel offers; what is missing is left out of programs.
struct HostFeatures: OptionSet, Sendable {
  let rawValue: UInt32
  /// MADV_POPULATE_READ and WRITE (Linux 5.14).
  static var populate: Self { Self(rawValue: 1 << 0) }
  /// MADV_DONTNEED_LOCKED (Linux 5.18).
  static var dontNeedLocked: Self { Self(rawValue: 1 << 1) }
  /// MADV_COLD and PAGEOUT (Linux 5.4).
  static var cold: Self { Self(rawValue: 1 << 2) }
  /// MADV_GUARD_INSTALL and REMOVE (Linux 6.13), in memory of files as well (6.15).
  static var guards: Self { Self(rawValue: 1 << 3) }
  /// MADV_MERGEABLE (CONFIG_KSM).
  static var merging: Self { Self(rawValue: 1 << 4) }
  /// MADV_HUGEPAGE (CONFIG_TRANSPARENT_HUGEPAGE).
  static var hugePages: Self { Self(rawValue: 1 << 5) }
  /// mlock2 (Linux 4.4).
  static var lockOnFault: Self { Self(rawValue: 1 << 6) }
  /// mseal (Linux 6.10).
  static var seals: Self { Self(rawValue: 1 << 7) }
  /// MAP_DROPPABLE (Linux 6.11).
  static var droppable: Self { Self(rawValue: 1 << 8) }
  /// mremap of several mappings at once (Linux 6.17).
  static var severalMoves: Self { Self(rawValue: 1 << 9) }
  /// MREMAP_DONTUNMAP of shared memory (Linux 5.13).
  static var keepsShared: Self { Self(rawValue: 1 << 10) }
  /// Memory with PROT_EXEC alone cannot be read (protection keys).
  static var executeOnly: Self { Self(rawValue: 1 << 11) }
  /// pkey_mprotect without a key (Linux 4.9).
  static var keys: Self { Self(rawValue: 1 << 12) }

  private static var start: UInt64 { HostWindow.start }

  private static func map(_ page: UInt64, pages: UInt64 = 1, protection: UInt64 = 3, flags: UInt64 = 0x32)
    -> HostStep
  {
    HostStep(0, .call(.mmap, [start + page << 12, pages << 12, protection, flags, .max, 0]))
  }
  private static func advise(_ advice: Advice, pages: UInt64 = 1) -> HostStep {
    HostStep(0, .call(.madvise, [start, pages << 12, advice.rawValue]))
  }

  /// Programs whose last step succeeds where there is a feature.
  static var probes: [(feature: HostFeatures, name: String, steps: [HostStep])] {
    let call = { (number: SystemCallNumber, arguments: [UInt64]) in HostStep(0, .call(number, arguments)) }
    let memfd = [call(.memfdCreate, [0, 2]), call(.ftruncate, [3, 1 << 14])]
    let shared = call(.mmap, [start, 4096, 3, 0x11, 3, 0])
    return [
      (.populate, "MADV_POPULATE", [map(0), advise(.populateWrite)]),
      (.dontNeedLocked, "MADV_DONTNEED_LOCKED", [map(0), advise(.dontNeedLocked)]),
      (.cold, "MADV_COLD", [map(0), advise(.cold)]),
      (.guards, "guard pages", memfd + [shared, advise(.guardInstall)]),
      (.merging, "MADV_MERGEABLE", [map(0), advise(.mergeable)]),
      (.hugePages, "MADV_HUGEPAGE", [map(0), advise(.hugePage)]),
      (.lockOnFault, "mlock2", [map(0), call(.mlock2, [start, 4096, 1])]),
      (.seals, "mseal", [map(0), call(.mseal, [start, 4096, 0])]),
      (.droppable, "MAP_DROPPABLE", [map(0, flags: 0x38)]),
      (
        .severalMoves, "moves of several mappings",
        [map(0), map(1, protection: 1), call(.mremap, [start, 8192, 8192, 3, start + 1 << 16])]
      ),
      (
        .keepsShared, "MREMAP_DONTUNMAP of shared memory",
        memfd + [shared, call(.mremap, [start, 4096, 4096, 7, start + 1 << 16])]
      ),
      (.keys, "pkey_mprotect", [map(0), call(.pkeyMprotect, [start, 4096, 1, .max])]),
    ]
  }

  /// What every Linux kernel does and kernels that only look like one do not; nil when all is well.
  static func deviation() throws(HostRefusal) -> String? {
    let steps = [
      map(0, pages: 4), HostStep(0, .call(.mincore, [start, 16384, 0])), HostStep(0, .store(start + 4096, 7)),
      HostStep(0, .call(.mprotect, [start + 8192, 4096, 1])), HostStep(0, .store(start + 8192, 1)),
      HostStep(0, .fork(1)), HostStep(1, .load(start + 4096)), HostStep(1, .store(start + 4096, 8)),
      HostStep(0, .load(start + 4096)), HostStep(1, .exit), HostStep(0, .load(start + 1 << 20)),
    ]
    let answers = try HostProcess.run(steps)
    if answers[0].areas.count != 1 || answers[0].areas[0].flags == 0 {
      return "its /proc/self/smaps lacks flags"
    }
    if answers[3].areas.count != 3 { return "its areas do not part where rights change" }
    if answers[2].pages[1] != [.present, .exclusive] { return "its /proc/self/pagemap does not show pages" }
    let expected: [(Int, HostAnswer.Outcome, String)] = [
      (1, .result(0, digest: 0x4D25_767F_9DCE_13F5), "mincore"),
      (4, .signal(11, code: 2), "a store without the right"),
      (6, .result(7, digest: 0), "a load in a child"), (8, .result(7, digest: 0), "a store in a child"),
      (10, .signal(11, code: 1), "a load of nothing"),
    ]
    for (index, outcome, name) in expected where answers[index].outcome != outcome {
      return "\(name) answers \(answers[index].outcome.text)"
    }
    return nil
  }

  /// Asks the host for every feature.
  static func ofHost() throws(HostRefusal) -> HostFeatures {
    var found: HostFeatures = []
    for probe in probes {
      guard let last = try HostProcess.run(probe.steps).last else { continue }
      if case .result = last.outcome { found.insert(probe.feature) }
    }
    let loads = try HostProcess.run([map(0, protection: 4), HostStep(0, .load(start))])
    if case .signal = loads[1].outcome { found.insert(.executeOnly) }
    return found
  }
}
