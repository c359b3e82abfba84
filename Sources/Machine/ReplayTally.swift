// SPDX-License-Identifier: MIT
public import SimMemory
public import VMM

/// What a replay counted and compared, apart from what kernel and hardware count themselves.
public struct ReplayTally: Sendable {
  /// Processes seen.
  public var processes = 0
  /// System calls seen.
  public var systemCalls: UInt64 = 0
  /// System calls that concern memory, which were performed and compared.
  public var memoryCalls: UInt64 = 0
  /// Calls with another answer than Linux's, and accesses that Linux allowed and this kernel refused (or the reverse).
  public var divergences: UInt64 = 0
  /// The first divergences in words.
  public var divergenceNotes: [String] = []
  /// Answers that valgrind gave itself and that differ from Linux's.
  public var valgrindAnswers: UInt64 = 0
  /// Refusals for lack of a resource that is not modelled, taken over from the trace.
  public var resourceRefusals: UInt64 = 0
  /// Base pages that were mapped because their use proved that the loader had mapped them.
  public var inferredPages: UInt64 = 0
  /// Resolved faults.
  public var faults = FaultCounts()
  /// Refused accesses that Linux refused too, with the same code.
  public var expectedRefusals: UInt64 = 0
  /// Accesses that this kernel refused and Linux did not.
  public var fatalFaults: UInt64 = 0
  /// The most bytes of tables there were.
  public var peakTableBytes: UInt64 = 0
  /// Bytes of tables on each node when there were most; empty on a machine with one node.
  public var peakTableBytesByNode: [UInt64] = []
  /// The most bytes of tables that one process had.
  public var peakProcessTableBytes: UInt64 = 0
  /// Bytes of tables at the end of the trace.
  public var finalTableBytes: UInt64 = 0
  /// Pages mapped at the end of the trace.
  public var finalPages: UInt64 = 0
  /// A digest of the contents of all processes' memory when they ended.
  public var contentDigest: UInt64 = 0
  /// Times that the check after a system call ran.
  public var checks: UInt64 = 0
  /// What checks found.
  public var disagreements: [String] = []

  /// Nothing yet.
  public init() {}

  mutating func diverge(_ note: String) {
    divergences += 1
    if divergenceNotes.count < 20 { divergenceNotes.append(note) }
  }
}

/// Why a replay cannot go on.
public enum ReplayStop: Error, Sendable, Equatable {
  /// Simulated memory is exhausted.
  case outOfMemory
  /// Events came before any process was started.
  case noProcess
  /// A process that does not exist is to run, or one that exists is to be made.
  case contradiction(String)
  /// The kernel resolved a fault again and again and the hardware still cannot translate: a driver bug.
  case faultLoop(VirtualAddress)
  /// The check found a disagreement and the replay was told to stop there.
  case disagreement(String)

  /// One line that says what to do.
  public var message: String {
    switch self {
    case .outOfMemory: "simulated physical memory is exhausted; use a larger --memory or --swap"
    case .noProcess: "the trace has memory accesses before any process starts"
    case .contradiction(let what): what
    case .faultLoop(let address):
      "the access at \(address) faults again and again: driver and hardware walker disagree about it"
    case .disagreement(let what): what
    }
  }
}
