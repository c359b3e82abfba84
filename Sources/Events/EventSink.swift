// SPDX-License-Identifier: MIT
public import SimMemory

/// What a trace reader feeds. Readers are generic over it, so that a replay loop is compiled for its machine.
public protocol EventSink {
  /// What can stop the flow.
  associatedtype Stop: Error
  /// One memory access of the running thread: `size` bytes (1 to 4,096) from `address`.
  ///
  /// A "modify" record arrives as `access(.load…)` then `access(.store…)`.
  mutating func access(_ kind: AccessKind, _ address: VirtualAddress, size: UInt32) throws(Stop)
  /// Anything else.
  mutating func event(_ event: TraceEvent) throws(Stop)
}
