// SPDX-License-Identifier: MIT

/// Small programs that between them do everything the kernel does, each dominated by a few kinds of work. The cost
/// table is fitted on these, and on nothing else.
@usableFromInline enum MicroWorkload: String, CaseIterable, Codable, Sendable {
  case denseStores, denseLoads, loadsThenStores, sparseRegions, sparseGibs, scatteredStores, scatteredAreas
  case sharedMemoryStores, fileLoads, fileCopies, stackGrowth, refusedFaults, repeatedFaults
  case forkDense, copyAfterFork, reuseAfterFork, forkTiny, forkManyAreas, execTiny
  case unmapDense, unmapPieces, unmapHoles, mapUnmap, manyAreas, mapOver
  case protectDense, protectPieces, protectEmpty, protectAndStore
  case moveDense, moveSmall, growShrink
  case dropDense, dropPieces, dropSparse, adviseAreas, guardPages
  case hugeStores, hugeLoadsThenStores, hugeCopies, hugeUnmapPieces, hugeProtectPieces
  case hugeDrops, hugeMoves, hugeAreas, hugeForks, collapses, backgroundCollapses, backgroundPasses
  case heap, heapWithStores, populate, lockPages, query, userCopies, refusedCalls, exitSparse
  case shootdownProtects, shootdownUnmaps, shootdownCopies
  case pressureStores, pressureSweeps, pressureShared, pressureMemoryFile

  /// What machine a workload needs.
  @usableFromInline enum Setting: CaseIterable, Sendable {
    /// One CPU, more memory than is used.
    case plenty
    /// Four CPUs.
    case severalCPUs
    /// So little memory that pages have to go to swap.
    case pressure
  }

  /// The machine that the workload needs.
  @usableFromInline var setting: Setting {
    switch self {
    case .shootdownProtects, .shootdownUnmaps, .shootdownCopies: .severalCPUs
    case .pressureStores, .pressureSweeps, .pressureShared, .pressureMemoryFile: .pressure
    default: .plenty
    }
  }

  /// How many units of work to do in the run before the measured one.
  @usableFromInline var warmUp: UInt64 { setting == .pressure ? size : 64 }

  /// How many units of work to do in a measured run: chosen so that all take about as long.
  @usableFromInline var size: UInt64 {
    switch self {
    case .sparseGibs, .forkTiny, .forkManyAreas, .execTiny: 48
    case .sparseRegions, .dropSparse, .exitSparse, .manyAreas, .adviseAreas, .scatteredAreas: 256
    default: 2048
    }
  }
}
