// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Mutations

/// A part of the suite that a planted bug is tried with: on one driver, with customizations or without.
struct MutationStage {
  /// What runs.
  enum Part {
    /// The checks of the contract.
    case contract
    /// Scenarios, without huge pages and with them.
    case scenarios
    /// Random operations, this many.
    case operations(Int)
    /// Random programs, this many steps, with this many slots of swap.
    case programs(Int, swapPages: UInt64)

    /// Whether the memory manager takes part, where the later half of the bugs is.
    var hasMemoryManager: Bool {
      switch self {
      case .contract, .operations: false
      case .scenarios, .programs: true
      }
    }
  }
  var driver: String
  var options: [String: String] = [:]
  var isBasicOnly = false
  var part: Part
}

/// Which parts of the suite a planted bug concerns, the fast ones first.
///
/// Drivers that do not have the bug are left out: they could only pass.
enum MutationPlan {
  /// The parts for a bug; with nil all that any bug is tried with.
  static func stages(_ mutation: Mutation?) -> [MutationStage] {
    guard let mutation else {
      return ["radix", "fpt-l4l3-l2l1", "hashed", "ecpt"].flatMap { stages($0, hidesFirst: false) }
    }
    let isAbove = mutation.rawValue >= Mutation.zeroPageWritable.rawValue
    return drivers(mutation).flatMap { driver in
      stages(driver, hidesFirst: isInDefaults(mutation)).filter { !isAbove || $0.part.hasMemoryManager }
    }
  }

  private static func stages(_ driver: String, hidesFirst: Bool) -> [MutationStage] {
    var stages: [MutationStage] = []
    // A default of the contract is only used where the driver has nothing of its own.
    for isBasicOnly in [hidesFirst, !hidesFirst] {
      stages.append(MutationStage(driver: driver, isBasicOnly: isBasicOnly, part: .contract))
    }
    stages.append(MutationStage(driver: driver, part: .scenarios))
    stages.append(MutationStage(driver: driver, part: .operations(5000)))
    stages.append(MutationStage(driver: driver, isBasicOnly: true, part: .operations(2000)))
    stages.append(MutationStage(driver: driver, part: .programs(4000, swapPages: 0)))
    stages.append(MutationStage(driver: driver, part: .programs(4000, swapPages: 32768)))
    return stages
  }

  /// The drivers that can show a bug.
  private static func drivers(_ mutation: Mutation) -> [String] {
    switch mutation {
    case .leafCountForgotten, .movedLeafKeepsParent, .movedLeafNotAnnounced, .moveLosesDirty,
      .copyLeavesWritable, .copyOwesNothing, .splitLosesNoExecute, .emptyNodeLeaked, .countMissesLastPage,
      .kernelHalfNotShared, .writerIgnoresReaders, .voidTooLarge:
      ["radix"]
    case .flattenedBlockUnclean: ["fpt-l4l3-l2l1"]
    case .summaryForgotten, .moveNotAnnounced, .structureLockNotTaken, .lockWordByPage,
      .clusterCopyLeavesWritable, .clusterMoveLeavesOld, .groupMissesLast:
      ["ecpt", "hashed"]
    case .kickDropsCluster, .chainStopsEarly, .migrationPointerAhead, .shrinkOverwrites,
      .tagPieceNotCompared, .stashNotSearched, .walkerPointerOffByOne:
      ["ecpt"]
    case .gapClosedEarly, .liveClusterOverwritten, .resizeSkipsCluster, .nextArrayNotSearched,
      .walkerSearchesOneArray:
      ["hashed"]
    default: ["radix", "ecpt"]
    }
  }

  /// Whether the bug is in a function that drivers may replace by their own.
  private static func isInDefaults(_ mutation: Mutation) -> Bool {
    switch mutation {
    case .settleDropsRanges, .iterationSkipsAfterVoid, .countIgnoresEdges, .removalOwesNothing,
      .copySkipsSwapped, .hardwareBitsLost, .refusedCollapseLosesPage, .runRepeatsFrame, .writerSharesLock:
      true
    default: false
    }
  }
}
