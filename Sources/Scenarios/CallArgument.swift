// SPDX-License-Identifier: MIT
public import VMM

/// Something that a system call takes: a register, and what the scenario's log shows of it.
public protocol CallArgument: Sendable {
  /// The register.
  var register: UInt64 { get }
  /// As the log has it.
  var text: String { get }
}

extension UInt64: CallArgument {
  /// Itself.
  public var register: UInt64 { self }
  /// Small numbers in decimal, others in hexadecimal.
  public var text: String {
    self == .max ? "-1" : self < 1 << 20 ? "\(self)" : "0x" + String(self, radix: 16)
  }
}

extension Int: CallArgument {
  /// Its bits.
  public var register: UInt64 { UInt64(bitPattern: Int64(self)) }
  /// In decimal.
  public var text: String { "\(self)" }
}

extension Rights: CallArgument {
  /// PROT_* bits.
  public var register: UInt64 { UInt64(rawValue) }
  /// As in /proc/PID/maps.
  public var text: String {
    (contains(.read) ? "r" : "-") + (contains(.write) ? "w" : "-") + (contains(.execute) ? "x" : "-")
  }
}

extension MapFlags: CallArgument {
  /// MAP_* bits.
  public var register: UInt64 { rawValue }
  /// In hexadecimal.
  public var text: String { "0x" + String(rawValue, radix: 16) }
}

extension Advice: CallArgument {
  /// MADV_*.
  public var register: UInt64 { rawValue }
  /// The name.
  public var text: String { "\(self)" }
}

/// An open file's number in a process.
public struct Descriptor: CallArgument, Hashable {
  /// The number.
  public var number: UInt64
  /// Wraps a number, negative ones too.
  public init(_ number: Int) { self.number = UInt64(bitPattern: Int64(number)) }
  init(_ number: UInt64) { self.number = number }
  /// -1, which nobody ever has.
  public static var invalid: Descriptor { Descriptor(-1) }
  /// The number.
  public var register: UInt64 { number }
  /// The number.
  public var text: String { number == .max ? "-1" : "\(number)" }
  var low: UInt32 { UInt32(truncatingIfNeeded: number) }
}

/// What kind of mapping is wanted.
public enum Sharing: UInt64, Sendable {
  /// Neither: an error.
  case none = 0
  /// MAP_SHARED.
  case shared = 1
  /// MAP_PRIVATE.
  case `private` = 2
  /// MAP_SHARED_VALIDATE.
  case validated = 3
  /// MAP_DROPPABLE.
  case droppable = 8
}
