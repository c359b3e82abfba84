// SPDX-License-Identifier: MIT
public import SimMemory

/// The machine as a driver sees it: memory, frames, CPUs. A bundle of handles; `SimulatedPlatform` owns them.
@safe @frozen public struct Platform: @unchecked Sendable, BitwiseCopyable {
  /// Simulated memory, in the name of software.
  public let memory: PhysicalMemory
  /// Who hands out frames.
  public let frames: FrameAllocator
  /// How many CPUs there are, 1 to 64.
  public let cpuCount: Int
  @usableFromInline let cpus: UnsafeMutablePointer<CPULocal>

  @usableFromInline init(
    memory: PhysicalMemory, frames: FrameAllocator, cpuCount: Int, cpus: UnsafeMutablePointer<CPULocal>
  ) {
    self.memory = memory
    self.frames = frames
    self.cpuCount = cpuCount
    unsafe self.cpus = unsafe cpus
  }

  /// The same machine with another handle to the allocator.
  func with(_ frames: FrameAllocator) -> Platform {
    unsafe Platform(memory: memory, frames: frames, cpuCount: cpuCount, cpus: cpus)
  }

  /// A CPU that does not exist: whoever looks at databases from outside works in its name, so that nothing is charged.
  @inlinable public var observer: CPULocal { unsafe cpus[cpuCount] }

  /// What belongs to CPU `id`.
  @inlinable public func cpu(_ id: Int) -> CPULocal {
    precondition(id >= 0 && id < cpuCount, "no such CPU")
    return unsafe cpus[id]
  }
}

/// Owns simulated memory and CPUs.
@safe public final class SimulatedPlatform: @unchecked Sendable {
  /// The memory.
  public let memory: SimulatedMemory
  /// The handles to give to a service.
  public let platform: Platform
  private let ledgers: [KernelWorkLedger]

  /// Makes memory of `geometry` and `cpus` CPUs (1 to 64).
  public init(_ geometry: MemoryGeometry, cpus count: Int = 1) throws(ArenaError) {
    precondition(count >= 1 && count <= 64, "1 to 64 CPUs")
    memory = try SimulatedMemory(geometry)
    ledgers = (0...count).map { _ in KernelWorkLedger() }
    let cpus = UnsafeMutablePointer<CPULocal>.allocate(capacity: count + 1)
    for id in 0...count { unsafe (cpus + id).initialize(to: CPULocal(id: id, meter: ledgers[id].meter)) }
    platform = unsafe Platform(
      memory: memory.memory, frames: memory.allocator, cpuCount: count, cpus: cpus)
  }

  /// The kernel work of all CPUs so far.
  public var work: KernelWork { ledgers.dropLast().reduce(KernelWork()) { $0 + $1.work } }

  /// The kernel work of one CPU so far.
  public func work(of cpu: Int) -> KernelWork { ledgers[cpu].work }

  deinit {
    for id in 0...platform.cpuCount { unsafe platform.cpus[id].release() }
    unsafe platform.cpus.deallocate()
  }
}
