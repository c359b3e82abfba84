// SPDX-License-Identifier: MIT

/// A handle to simulated physical memory: bits that drivers write and walkers read.
///
/// The handle is a copyable bundle of `let` pointers (so that the optimiser may keep them in registers);
/// `SimulatedMemory` owns what they point at and must outlive every handle. Addresses are not
/// bounds-checked in release builds beyond what `SimulatedMemory` hands out; debug builds trap.
/// Every table word is reached as an atomic, because hardware and software share it; relaxed, acquire and
/// release operations compile to plain moves on x86-64.
@safe @frozen public struct PhysicalMemory: @unchecked Sendable, BitwiseCopyable {
  @usableFromInline let base: UnsafeMutableRawPointer
  /// The size of the memory in bytes.
  public let bytes: UInt64
  /// Who uses this handle; only the access log looks at it.
  public let agent: MemoryAgent
  @usableFromInline let log: AccessLogSlot

  /// The largest simulated memory, 4 TiB.
  public static var maximumBytes: UInt64 { 4 << 40 }

  @usableFromInline init(
    base: UnsafeMutableRawPointer, bytes: UInt64, agent: MemoryAgent, log: AccessLogSlot
  ) {
    unsafe self.base = unsafe base
    self.bytes = bytes
    self.agent = agent
    self.log = log
  }

  /// The same memory, its accesses logged in the name of `agent`.
  public func used(by agent: MemoryAgent) -> PhysicalMemory {
    unsafe PhysicalMemory(base: base, bytes: bytes, agent: agent, log: log)
  }

  /// The number of 4 KiB frames.
  @inlinable public var frameCount: UInt64 { bytes &>> 12 }
}

/// Who touches simulated memory.
@frozen public enum MemoryAgent: UInt8, Sendable, BitwiseCopyable {
  /// The operating system: drivers and the memory manager.
  case software
  /// Page walkers.
  case hardware
}
