// SPDX-License-Identifier: MIT
public import SimMemory

/// What a page in memory is given when it is mapped for the first time.
@frozen public struct PageGrants: OptionSet, Sendable, Hashable, BitwiseCopyable {
  /// The bits; they have no meaning outside.
  public let rawValue: UInt8
  /// Wraps bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Loads.
  @inlinable public static var readable: Self { Self(rawValue: 1) }
  /// Stores.
  @inlinable public static var writable: Self { Self(rawValue: 2) }
  /// Instruction fetches.
  @inlinable public static var executable: Self { Self(rawValue: 4) }
  /// User mode.
  @inlinable public static var user: Self { Self(rawValue: 8) }
  /// It counts as used already.
  @inlinable public static var accessed: Self { Self(rawValue: 16) }
  /// It counts as written already.
  @inlinable public static var dirty: Self { Self(rawValue: 32) }
  /// The memory manager keeps no count of it.
  @inlinable public static var special: Self { Self(rawValue: 64) }
}

extension TranslationObject {
  /// The neutral form of `place`: attribute by attribute.
  @inlinable public mutating func place(_ frame: FrameNumber, _ grants: PageGrants) {
    isMapped = false
    isPresent = true
    self.frame = frame
    isReadable = grants.contains(.readable)
    isWritable = grants.contains(.writable)
    isExecutable = grants.contains(.executable)
    isUser = grants.contains(.user)
    isAccessed = grants.contains(.accessed)
    isDirty = grants.contains(.dirty)
    isSpecial = grants.contains(.special)
  }
}
