// SPDX-License-Identifier: MIT

/// Resource limits of a process, in bytes; the largest value stands for "no limit".
public struct ResourceLimits: Sendable, Equatable {
  /// RLIMIT_STACK: how far the stack grows.
  public var stack: UInt64 = 8 << 20
  /// RLIMIT_AS: all mappings together.
  public var addressSpace: UInt64 = .max
  /// RLIMIT_MEMLOCK: locked memory.
  public var lockedMemory: UInt64 = .max
  /// RLIMIT_DATA: private writable mappings.
  public var data: UInt64 = .max
  /// Limits by number that nothing here looks at.
  private var others = Array(repeating: UInt64.max, count: ResourceLimits.count)
  /// How far each limit can be raised without a privilege.
  private var ceilings = Array(repeating: UInt64.max, count: ResourceLimits.count)

  /// Linux's defaults for a privileged process.
  public init() {}

  /// How many resources there are (Linux: RLIM_NLIMITS).
  public static var count: Int { 16 }

  /// The limit and its ceiling of the resource with Linux's number.
  /// - Precondition: the number is below `count`.
  public subscript(resource: Int) -> (limit: UInt64, ceiling: UInt64) {
    get {
      let limit =
        switch resource {
        case 2: data
        case 3: stack
        case 8: lockedMemory
        case 9: addressSpace
        default: others[resource]
        }
      return (limit, ceilings[resource])
    }
    set {
      switch resource {
      case 2: data = newValue.limit
      case 3: stack = newValue.limit
      case 8: lockedMemory = newValue.limit
      case 9: addressSpace = newValue.limit
      default: others[resource] = newValue.limit
      }
      ceilings[resource] = newValue.ceiling
    }
  }
}
