// SPDX-License-Identifier: MIT

/// How an area, or a whole address space, uses memory: in bytes, as Linux's `/proc/PID/smaps` has it. Pages of zeroes do
/// not count.
public struct MemoryUse: Sendable, Equatable {
  /// Addresses.
  public var size: UInt64 = 0
  /// In memory.
  public var resident: UInt64 = 0
  /// In memory, each page divided among those that map it.
  public var proportional: UInt64 = 0
  /// Mapped more than once, and not written here.
  public var sharedClean: UInt64 = 0
  /// Mapped more than once, and written.
  public var sharedDirty: UInt64 = 0
  /// Mapped once, and not written.
  public var privateClean: UInt64 = 0
  /// Mapped once, and written.
  public var privateDirty: UInt64 = 0
  /// Used since bits were cleared.
  public var referenced: UInt64 = 0
  /// No file's.
  public var anonymous: UInt64 = 0
  /// In huge pages.
  public var hugePages: UInt64 = 0
  /// In pooled huge pages that others map too. These are not part of `resident`, as on Linux.
  public var sharedHugeTLB: UInt64 = 0
  /// In pooled huge pages that nobody else maps. These are not part of `resident` either.
  public var privateHugeTLB: UInt64 = 0
  /// In swap.
  public var swapped: UInt64 = 0
  /// `proportional` of what is locked.
  public var locked: UInt64 = 0

  /// Nothing.
  public init() {}

  /// The use of both.
  public static func + (first: MemoryUse, second: MemoryUse) -> MemoryUse {
    var sum = first
    let fields: [WritableKeyPath<MemoryUse, UInt64>] = [
      \.size, \.resident, \.proportional, \.sharedClean, \.sharedDirty, \.privateClean, \.privateDirty,
      \.referenced, \.anonymous, \.hugePages, \.sharedHugeTLB, \.privateHugeTLB, \.swapped, \.locked,
    ]
    for field in fields { sum[keyPath: field] += second[keyPath: field] }
    return sum
  }
}
