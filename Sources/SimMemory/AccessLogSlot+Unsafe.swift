// SPDX-License-Identifier: MIT

/// Where a memory handle finds the log that is attached at the moment.
///
/// SAFETY: the slot lives as long as its `SimulatedMemory`; logs are attached while no other thread runs.
@safe @frozen public struct AccessLogSlot: @unchecked Sendable, BitwiseCopyable {
  let slot: UnsafeMutablePointer<AccessLog?>

  init() {
    unsafe slot = .allocate(capacity: 1)
    unsafe slot.initialize(to: nil)
  }

  func attach(_ log: AccessLog?) { unsafe slot.pointee = log }

  func release() {
    unsafe slot.deinitialize(count: 1)
    unsafe slot.deallocate()
  }

  /// Passes an access on to the attached log, if there is one.
  @usableFromInline func record(
    _ agent: MemoryAgent, _ kind: MemoryAccess.Kind, _ address: PhysicalAddress, _ value: UInt64
  ) {
    guard let log = unsafe slot.pointee else { return }
    log.record(MemoryAccess(agent, kind, address, value))
  }
}
