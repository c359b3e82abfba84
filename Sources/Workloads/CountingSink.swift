// SPDX-License-Identifier: MIT
public import Events
public import SimMemory

/// Counts what a trace holds; never stops the flow.
public struct CountingSink: EventSink, Equatable, Sendable {
  /// Instruction fetches.
  public var fetches: UInt64 = 0
  /// Data reads; a modify record counts here and in `stores`.
  public var loads: UInt64 = 0
  /// Data writes.
  public var stores: UInt64 = 0
  /// Bytes that all accesses together asked for.
  public var bytes: UInt64 = 0
  /// System calls.
  public var systemCalls: UInt64 = 0
  /// Accesses that the kernel refused.
  public var refusals: UInt64 = 0
  /// Everything else: process starts, forks, switches, stack growth, exits.
  public var otherEvents: UInt64 = 0

  /// Starts at zero.
  public init() {}

  /// All accesses.
  public var accesses: UInt64 { fetches + loads + stores }

  /// Counts one access.
  @inlinable public mutating func access(_ kind: AccessKind, _ address: VirtualAddress, size: UInt32) {
    switch kind {
    case .fetch: fetches &+= 1
    case .load: loads &+= 1
    case .store: stores &+= 1
    }
    bytes &+= UInt64(size)
  }

  /// Counts one event.
  public mutating func event(_ event: TraceEvent) {
    switch event {
    case .systemCall: systemCalls += 1
    case .refused: refusals += 1
    default: otherEvents += 1
    }
  }
}
