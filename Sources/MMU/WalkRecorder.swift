// SPDX-License-Identifier: MIT
public import SimMemory

/// One table word that a walk read.
@frozen public struct WalkStep: Hashable, Sendable, BitwiseCopyable {
  /// What kind of word it is.
  @frozen public enum Kind: UInt8, Sendable, BitwiseCopyable {
    /// An entry of a tree's node; the index is the level, 0 for the leaves.
    case node
    /// An entry of a hashed table; the index is the way or the number of the probe.
    case slot
    /// A word that says where tables are and how large.
    case descriptor
    /// A word that says which tables to look into.
    case summary
  }
  /// What kind of word it is.
  public let kind: Kind
  /// Level, way or probe; see `Kind`.
  public let index: UInt8
  /// The round of the walk, from 0: words of one round are read side by side.
  public let round: UInt16
  /// Where the word is.
  public let address: PhysicalAddress
  /// What was read, before the walk set bits in it.
  public let value: UInt64

  /// Describes a step.
  @inlinable
  public init(_ kind: Kind, index: UInt8, round: UInt16, address: PhysicalAddress, value: UInt64) {
    self.kind = kind
    self.index = index
    self.round = round
    self.address = address
    self.value = value
  }
}

/// Sees every table word that a walk reads: a list for tests and explanations, or a cache model.
public protocol WalkRecorder {
  /// Takes note of one step.
  mutating func record(_ step: WalkStep)
}

/// Records nothing and costs nothing.
@frozen public struct NoRecorder: WalkRecorder, Sendable {
  /// Gives the value an address of its own: ThreadSanitizer takes `inout` uses of empty values for races.
  @usableFromInline var unused: UInt8 = 0
  /// The recorder.
  @inlinable public init() {}
  /// Forgets the step.
  @inlinable @inline(__always) public mutating func record(_ step: WalkStep) {}
}

/// Keeps the first 32 steps in place, without allocating.
@frozen public struct WalkSteps: WalkRecorder, Sendable {
  @usableFromInline var storage: InlineArray<32, WalkStep>
  /// Steps taken, including those beyond the 32 that are kept.
  public private(set) var count = 0

  /// An empty list.
  public init() {
    storage = InlineArray(
      repeating: WalkStep(.node, index: 0, round: 0, address: PhysicalAddress(0), value: 0))
  }

  /// Appends the step while there is room, and counts it.
  public mutating func record(_ step: WalkStep) {
    if count < storage.count { storage[count] = step }
    count += 1
  }

  /// The steps that were kept, in order.
  public var steps: [WalkStep] { (0..<min(count, storage.count)).map { storage[$0] } }
}
