// SPDX-License-Identifier: MIT

/// Linux's MADV_* values.
public enum Advice: UInt64, Sendable, CaseIterable {
  /// No special treatment.
  case normal = 0
  /// Expect random access.
  case random = 1
  /// Expect access in order.
  case sequential = 2
  /// Will be used soon.
  case willNeed = 3
  /// Contents are not needed: drop the pages now.
  case dontNeed = 4
  /// Contents are not needed: the pages may be dropped.
  case free = 8
  /// Punch a hole into the file.
  case remove = 9
  /// Not for children.
  case dontFork = 10
  /// For children again.
  case doFork = 11
  /// Equal pages may be merged.
  case mergeable = 12
  /// Pages are not merged.
  case unmergeable = 13
  /// Huge pages are welcome.
  case hugePage = 14
  /// No huge pages.
  case noHugePage = 15
  /// Not in core dumps.
  case dontDump = 16
  /// In core dumps again.
  case doDump = 17
  /// Children find it zeroed.
  case wipeOnFork = 18
  /// Children find the contents again.
  case keepOnFork = 19
  /// Not used lately.
  case cold = 20
  /// Reclaim now.
  case pageOut = 21
  /// Bring in for reading.
  case populateRead = 22
  /// Bring in for writing.
  case populateWrite = 23
  /// Like `dontNeed`, locked areas too.
  case dontNeedLocked = 24
  /// Make huge pages now.
  case collapse = 25
  /// Pretend a memory error.
  case hardwarePoison = 100
  /// Take the frame out of use.
  case softOffline = 101
  /// Make guard pages.
  case guardInstall = 102
  /// Remove guard pages.
  case guardRemove = 103

  /// Whether it changes pages or properties of the range alone, so that huge pages at its edges have to be split.
  @usableFromInline var partsAreas: Bool {
    switch self {
    case .willNeed, .cold, .pageOut, .free, .populateRead, .populateWrite, .collapse, .hardwarePoison,
      .softOffline:
      false
    default: true
    }
  }

  /// Whether kernels may be built without it; they answer EINVAL then. MADV_COLLAPSE also depends on free huge pages.
  @usableFromInline var isOptional: Bool {
    switch self {
    case .mergeable, .unmergeable, .hugePage, .noHugePage, .collapse, .cold, .pageOut, .populateRead,
      .populateWrite, .dontNeedLocked, .guardInstall, .guardRemove:
      true
    default: false
    }
  }
}
