// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

// The end of memory.
extension Kernel {
  /// Tries again after reclaim, for as long as that frees anything; then somebody has to give up.
  @inlinable @inline(never)
  func resolveAfterReclaim(
    _ space: Space<Database>, _ address: VirtualAddress, _ kind: AccessKind
  ) -> FaultOutcome {
    while true {
      for _ in 0..<16 {
        guard reclaimAfterFailure() else { break }
        let outcome = tryToResolve(space, address, kind)
        if outcome != .outOfMemory { return outcome }
      }
      guard endShortage(for: space) else { break }
      // What the process that ended had is free: there may be nothing more to reclaim.
      let outcome = tryToResolve(space, address, kind)
      if outcome != .outOfMemory { return outcome }
    }
    timesOutOfMemory &+= 1
    return .outOfMemory
  }

  /// Picks the process that gives most when it ends, writes the report, and ends it if settings say so and it is not
  /// the one that wants memory.
  /// - Returns: whether memory was freed.
  @inlinable func endShortage(for space: Space<Database>) -> Bool {
    if obstacle != 0 { return endShortage(ofGroup: obstacle, for: space) }
    guard let victim = reportShortage() else { return false }
    guard reclaimSettings.kills, victim.space !== space else { return false }
    for pid in users(of: victim.space) { exit(pid) }
    return true
  }

  /// Numbers of the processes that use a space.
  @usableFromInline func users(of space: Space<Database>) -> [UInt32] {
    processes.keys.sorted().filter { processes[$0]?.space === space }
  }

  /// Linux's measure (`oom_badness`): pages in memory, pages in swap, and pages of tables.
  public func badness(of process: Process<Database>) -> UInt64 {
    let space = process.space
    return space.residentPages + space.swappedPages + space.database.footprint.total >> 12
  }

  /// - Returns: the process to end.
  @usableFromInline func reportShortage() -> Process<Database>? {
    let candidates = processes.keys.sorted().compactMap { processes[$0] }
    var victim: Process<Database>?
    for candidate in candidates where victim.map({ badness(of: candidate) > badness(of: $0) }) ?? true {
      victim = candidate
    }
    let swap = swapCell.value
    var report =
      "out of memory: \(platform.frames.freeFrames) of \(platform.memory.frameCount) frames are free, "
      + "\(swap.used) of \(swap.slots) swap slots are used, and nothing more can be reclaimed; "
      + "\(residentPages) pages are mapped by \(candidates.count) "
      + (candidates.count == 1 ? "process" : "processes")
    if let victim {
      report +=
        "; the largest is process \(victim.pid) with \(victim.space.residentPages) pages in memory, "
        + "\(victim.space.swappedPages) in swap and \(victim.space.database.footprint.total >> 12) pages of tables"
    }
    shortageReport = report
    return victim
  }
}
