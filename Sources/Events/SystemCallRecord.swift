// SPDX-License-Identifier: MIT

/// One system call of a traced program and what the real kernel answered.
public struct SystemCallRecord: Sendable, Equatable {
  /// x86-64 system-call number.
  public var number: UInt32
  /// Up to six arguments as the tracer printed them, sign-extended to 64 bits where it printed a negative number.
  public var arguments: [UInt64]
  /// Strings that the tracer printed beside an argument, by argument index: paths, mostly.
  public var strings: [Int: String]
  /// What the kernel answered.
  public var answer: Answer
  /// Where the answer comes from.
  public var origin: Origin

  /// The result of a system call.
  public enum Answer: Sendable, Equatable {
    /// The result register.
    case success(UInt64)
    /// A positive errno.
    case failure(UInt32)
    /// The trace holds no answer: the call does not return (exit, execve, rt_sigreturn) or the trace was cut.
    case unknown
  }

  /// Who answered.
  public enum Origin: UInt8, Sendable {
    /// The kernel.
    case kernel
    /// The tracing tool itself (`[pre-success]`, `[pre-fail]`): it may differ from Linux.
    case tracer
  }

  /// Describes a call.
  public init(
    number: UInt32, arguments: [UInt64], strings: [Int: String] = [:], answer: Answer,
    origin: Origin = .kernel
  ) {
    self.number = number
    self.arguments = arguments
    self.strings = strings
    self.answer = answer
    self.origin = origin
  }

  /// The argument at `index`, zero when the trace has fewer.
  public func argument(_ index: Int) -> UInt64 { index < arguments.count ? arguments[index] : 0 }
}
