// SPDX-License-Identifier: MIT
public import SimMemory

/// Owns one CPU's translation hardware and frees it at the end. The handle must not outlive the owner.
public final class SimulatedMMU<Walker: PageWalker>: Sendable {
  /// The hardware.
  public let mmu: MMU<Walker>

  /// Hardware with empty TLBs that walks tables in `memory`.
  public init(
    memory: PhysicalMemory, tlbs: TLBConfiguration = .standard,
    walker: Walker.Configuration = Walker.standardConfiguration, costs: CycleCosts = CycleCosts()
  ) {
    mmu = MMU(walker: Walker(memory: memory, configuration: walker), tlbs: tlbs, costs: costs)
  }

  deinit { mmu.release() }
}
