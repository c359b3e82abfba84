// SPDX-License-Identifier: MIT
public import SimMemory

/// A system call as the kernel gets it.
public struct SystemCallRequest: Sendable {
  /// Which one.
  public var number: SystemCallNumber
  /// Six argument registers.
  public var arguments: [UInt64]
  /// Strings that pointer arguments lead to, by argument index.
  public var strings: [Int: String]
  /// What the world outside this kernel decided.
  public var circumstances: Circumstances

  /// A call; missing arguments are zero.
  public init(
    _ number: SystemCallNumber, _ arguments: [UInt64] = [], strings: [Int: String] = [:],
    circumstances: Circumstances = Circumstances()
  ) {
    self.number = number
    self.arguments = arguments + Array(repeating: 0, count: max(0, 6 - arguments.count))
    self.strings = strings
    self.circumstances = circumstances
  }

  @usableFromInline subscript(index: Int) -> UInt64 { arguments[index] }

  /// The argument at `index` as an address.
  @usableFromInline func address(_ index: Int) -> VirtualAddress { VirtualAddress(arguments[index]) }

  /// The argument at `index` as a descriptor.
  func descriptor(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: arguments[index]) }
}

/// What a call's outcome depends on besides this kernel's own state. A replay fills it from the trace, so that the
/// simulated kernel makes the same free choices as the real one did; programs that run here leave it empty.
public struct Circumstances: Sendable, Equatable {
  /// Where to place a mapping whose address is free to choose.
  public var placement: VirtualAddress?
  /// Which descriptor or identifier to hand out.
  public var handle: UInt64?
  /// The call is refused with this, for lack of a resource that this kernel does not model, if nothing else is wrong
  /// with it.
  public var verdict: Errno?
  /// What the real kernel refused the call with, for whatever reason: the answer where this kernel's own state cannot
  /// tell, because it concerns a descriptor, a file system or a permission that it knows nothing of.
  public var refusal: Errno?
  /// The real kernel accepted the call: descriptors and identifiers that are not known here exist.
  public var isAccepted = false

  /// Nothing decided.
  public init() {}
}
