// SPDX-License-Identifier: MIT
public import SimMemory

/// How pages are chosen for reclaim.
public enum ReclaimPolicy: Sendable, Equatable {
  /// Active and inactive lists, with a second chance for pages in use.
  case activeInactive
  /// Up to four generations; walking the translations of all address spaces makes a new one.
  case generations
}

/// What a user of the kernel may choose about reclaim.
public struct ReclaimSettings: Sendable, Equatable {
  /// 0 to 200: how readily private pages are taken, relative to file pages (Linux: `vm.swappiness`).
  public var swappiness: UInt64 = 60
  /// Whether a process is killed when memory runs out. Without that the one that wanted memory is told, which is what
  /// replays need: a trace goes on with every process that it has.
  public var kills = false
  /// Linux's defaults, but nobody is killed.
  public init() {}
}

/// What reclaim did, in base pages.
public struct ReclaimCounts: Sendable, Equatable {
  /// Pages looked at.
  public var scanned: UInt64 = 0
  /// Pages freed.
  public var reclaimed: UInt64 = 0
  /// Pages written to swap.
  public var swappedOut: UInt64 = 0
  /// Pages read from swap.
  public var swappedIn: UInt64 = 0
  /// File pages written back.
  public var writtenBack: UInt64 = 0
  /// File pages read again after they had been taken.
  public var readBack: UInt64 = 0
  /// Lazily freed pages dropped.
  public var dropped: UInt64 = 0
  /// Pages that went to the active list, or to the youngest generation, because they were in use.
  public var activated: UInt64 = 0
  /// Pages found in locked areas.
  public var locked: UInt64 = 0
  /// Runs of the background reclaimer.
  public var backgroundRuns: UInt64 = 0
  /// Times that an allocation had to wait for reclaim.
  public var directRuns: UInt64 = 0
  /// Nothing yet.
  public init() {}
}

/// Free frames of a node at which reclaim begins and ends.
public struct Watermarks: Sendable, Equatable {
  /// Below this the background reclaimer runs.
  public var low: UInt64
  /// It runs until so many frames are free.
  public var high: UInt64

  /// Linux's rule (`min_free_kbytes`): with m = 4·√KiB of memory, at most 256 MiB, low is 5/4 m and high 3/2 m.
  public init(frames: UInt64) {
    let kibibytes = Double(frames) * 4
    let least = min(UInt64((kibibytes * 16).squareRoot()), 256 << 10) / 4
    low = least + least / 4
    high = least + least / 2
  }
}

/// What reclaim decides by.
@usableFromInline struct ReclaimState {
  var settings = ReclaimSettings()
  @usableFromInline var policy = ReclaimPolicy.activeInactive
  @usableFromInline var counts = ReclaimCounts()
  /// By node.
  @usableFromInline var watermarks: [Watermarks]
  /// What reclaiming each type of page has cost lately, so that the cheaper one is taken more: pages written, read again
  /// or found in use. Halved now and then.
  var anonymousCost: UInt64 = 0
  var fileCost: UInt64 = 0
  /// The number of the youngest generation, and of the oldest one by type: 0 anonymous, 1 file.
  @usableFromInline var youngest = 0
  var oldest = (anonymous: 0, file: 0)

  @usableFromInline init(_ frames: FrameAllocator) {
    watermarks = (0..<frames.nodeCount).map {
      Watermarks(frames: frames.freeFrames(node: $0))
    }
  }

  /// Notes work for a type of page.
  mutating func charge(isAnonymous: Bool, _ pages: UInt64) {
    if isAnonymous { anonymousCost += pages } else { fileCost += pages }
    guard anonymousCost + fileCost > 4096 else { return }
    anonymousCost /= 2
    fileCost /= 2
  }
}
