// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats

/// The knobs of elastic cuckoo tables, from driver options.
///
/// | option | `ours` | `emt` | `paper` | meaning |
/// |---|---|---|---|---|
/// | `growth` | 2 | 4 | 4 | a way that grows becomes so many times larger |
/// | `step` | 8 | 16 | 8 | clusters that one operation migrates at most, 1 to 16 |
/// | `kicks` | 64 | 128 | 32 | occupied slots that the search for a path looks at, 8 to 128 |
/// | `start` | 8 | 16384 | 16384 | clusters of a 4 KiB way at the start; other tables start with the smallest |
/// | `hash` | murmur | murmur | crc64 | also `fibonacci` |
/// | `kpti` | off | off | off | user mode runs without the kernel's registers |
@frozen public struct ECPTPolicy: Sendable, Equatable, BitwiseCopyable {
  /// Binary logarithm of the factor by which a way grows.
  public var growth: UInt8 = 1
  /// Clusters migrated in one step.
  public var step: UInt8 = 8
  /// Slots looked at by the search for a path.
  public var kicks: UInt8 = 64
  /// Binary logarithm of the clusters of a 4 KiB way at the start.
  public var start: UInt8 = 3
  /// The hash function.
  public var hash: HashFunction = .murmurFinaliser
  /// Whether user mode runs without the kernel's registers.
  public var isIsolated = false

  /// Ours.
  public init() {}

  /// Reads options: a preset first, then what differs from it.
  public init(_ options: DriverOptions) throws(ServiceError) {
    switch options.values["preset"] ?? "ours" {
    case "ours": break
    case "emt": (growth, step, kicks, start) = (2, 16, 128, 14)
    case "paper": (growth, step, kicks, start, hash) = (2, 8, 32, 14, .crc64)
    default: throw .badOption(name: "preset", reason: "use ours, emt or paper")
    }
    for (name, value) in options.values.sorted(by: { $0.key < $1.key }) {
      switch name {
      case "preset": break
      case "growth": growth = try ECPTPolicy.number(name, value, 2...8, isLogarithm: true)
      case "start": start = try ECPTPolicy.number(name, value, 8...1 << 20, isLogarithm: true)
      case "step": step = try ECPTPolicy.number(name, value, 1...16)
      case "kicks": kicks = try ECPTPolicy.number(name, value, 8...128)
      case "hash": hash = try ECPTPolicy.hash(value)
      case "kpti":
        guard value == "on" || value == "off" else { throw .badOption(name: name, reason: "use on or off") }
        isIsolated = value == "on"
      default: throw .badOption(name: name, reason: "the ecpt driver has no such option")
      }
    }
  }

  private static func number(
    _ name: String, _ value: String, _ range: ClosedRange<Int>, isLogarithm: Bool = false
  ) throws(ServiceError) -> UInt8 {
    let kind = isLogarithm ? "power of two" : "number"
    guard let number = Int(value), range.contains(number), !isLogarithm || number.nonzeroBitCount == 1 else {
      throw .badOption(name: name, reason: "use a \(kind) from \(range.lowerBound) to \(range.upperBound)")
    }
    return UInt8(isLogarithm ? number.trailingZeroBitCount : number)
  }

  private static func hash(_ value: String) throws(ServiceError) -> HashFunction {
    switch value {
    case "murmur": return .murmurFinaliser
    case "fibonacci": return .fibonacci
    case "crc64": return .crc64
    default: throw .badOption(name: "hash", reason: "use murmur, fibonacci or crc64")
    }
  }
}
