// SPDX-License-Identifier: MIT
public import SimMemory

/// What a thread may do with the memory of each protection key: the register that a program changes without the kernel
/// (x86-64: PKRU). Two bits per key: no data accesses, no stores. Fetches are never refused.
@frozen public struct KeyRights: Sendable, Equatable, BitwiseCopyable {
  /// The register's value.
  public var rawValue: UInt32

  /// Wraps a value.
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// What a program begins with: key 0 only (Linux: `init_pkru_value`).
  @inlinable public static var initial: KeyRights { KeyRights(rawValue: 0x5555_5554) }

  /// PKEY_DISABLE_ACCESS 1 and PKEY_DISABLE_WRITE 2 of `key`, 0 to 15.
  @inlinable public subscript(key: UInt8) -> UInt32 {
    get { rawValue &>> (UInt32(key) &* 2) & 3 }
    set {
      rawValue = rawValue & ~(3 &<< (UInt32(key) &* 2)) | (newValue & 3) &<< (UInt32(key) &* 2)
    }
  }

  /// Whether memory of `key` may be accessed so.
  @inlinable public func allow(_ kind: AccessKind, key: UInt8) -> Bool {
    switch kind {
    case .fetch: true
    case .load: self[key] & 1 == 0
    case .store: self[key] == 0
    }
  }
}

/// Which protection keys an address space has handed out.
public struct ProtectionKeys: Sendable, Equatable {
  /// A bit for each key; key 0 is there from the start.
  private var allocated: UInt16 = 1
  /// The key of memory that can be fetched from only.
  public private(set) var executeOnly: UInt8?
  /// Whether any memory had another key than 0.
  public internal(set) var areUsed = false

  /// Key 0 only.
  public init() {}

  /// Whether programs may use `key`. That for execute-only memory is the kernel's.
  public func contains(_ key: UInt64) -> Bool {
    key < 16 && allocated >> key & 1 == 1 && UInt8(key) != executeOnly
  }

  /// The lowest free key; nil when all are taken.
  mutating func allocate() -> UInt8? {
    let key = (~allocated).trailingZeroBitCount
    guard key < 16 else { return nil }
    allocated |= 1 << key
    return UInt8(key)
  }

  mutating func free(_ key: UInt8) { allocated &= ~(1 << UInt16(key)) }

  /// The key of execute-only memory, allocated with its first use; nil when there is none left.
  mutating func executeOnlyKey() -> UInt8? {
    if executeOnly == nil { executeOnly = allocate() }
    return executeOnly
  }
}
