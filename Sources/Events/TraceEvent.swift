// SPDX-License-Identifier: MIT
public import SimMemory

/// What happens in a trace besides memory accesses. Rare, so it may be rich.
public enum TraceEvent: Sendable, Equatable {
  /// From here on, events belong to `process` and its thread `thread` (equal to `process` for the first one).
  case run(process: UInt32, thread: UInt32)
  /// A process that no traced process made appears. `isFreshImage`: it begins with its program's first instruction.
  case start(process: UInt32, isFreshImage: Bool)
  /// The running process makes `child`. The child's own events follow later, after a `run`.
  case fork(child: UInt32, kind: ForkKind)
  /// A system call and its answer. The answer comes at the point where the call returned.
  case systemCall(SystemCallRecord)
  /// The kernel refused an access of the running process.
  case refused(Refusal)
  /// The kernel grew the stack down to `base` to serve the access before (valgrind's "extended stack base").
  case stackGrown(faultAddress: VirtualAddress, base: VirtualAddress)
  /// The running process replaced its image: what was mapped is gone.
  case exec
  /// The running process ended; its address space is given back.
  case exit
}

/// How a child came to be.
public enum ForkKind: UInt8, Sendable {
  /// A copy of the address space (fork, or clone without CLONE_VM).
  case copy
  /// A process that borrows the parent's address space until it executes or ends (vfork).
  case borrow
  /// A thread: shares the address space for good.
  case thread
}

/// An access that the real kernel refused with a signal.
public struct Refusal: Sendable, Equatable {
  /// Which signal.
  public enum Signal: UInt8, Sendable { case segmentationFault, busError }
  /// The signal.
  public var signal: Signal
  /// `si_code`: 1 not mapped, 2 no permission (SIGSEGV); 2 beyond end of file (SIGBUS).
  public var code: UInt32
  /// The address, where the trace names it (a SIGBUS line does not).
  public var address: VirtualAddress?

  /// Describes a refusal.
  public init(signal: Signal, code: UInt32, address: VirtualAddress?) {
    self.signal = signal
    self.code = code
    self.address = address
  }
}
