// SPDX-License-Identifier: MIT
public import EMTCore
public import MMU
public import SimMemory
public import VMM

/// A simulated computer: memory, one memory manager on one translation driver, and the translation hardware of each CPU.
///
/// The compiler checks that driver and walker speak of the same control registers, so a driver cannot be put on the
/// wrong hardware.
public final class Machine<Service: TranslationService, Walker: PageWalker>
where Service.Root == Walker.Root {
  /// Owns memory and CPUs.
  public let platform: SimulatedPlatform
  /// Frames that nobody gets, because less memory was asked for than simulated memory can be made of.
  @usableFromInline let heldBack: [FrameNumber]
  /// The operating system.
  public let kernel: Kernel<Service>
  /// The operating system's entry points, compiled for the driver.
  public let calls: KernelCalls<Service>
  /// Accesses between two passes of the background job that makes huge pages.
  public let collapseInterval: UInt64
  /// The hardware of each CPU.
  public let units: [SimulatedMMU<Walker>]

  /// Boots a machine.
  /// - Throws: when memory cannot be reserved or the driver refuses to boot.
  @inlinable
  public init(_ configuration: MachineConfiguration = MachineConfiguration()) throws(MachineError) {
    do {
      platform = try SimulatedPlatform(configuration.memory.roundedUp, cpus: configuration.cpus)
    } catch { throw .memory(error) }
    heldBack = Self.holdBack(configuration.memory, platform.memory.allocator)
    do {
      kernel = try Kernel<Service>(
        platform.platform, options: configuration.options, hugePages: configuration.hugePages)
    } catch { throw .boot(error) }
    if configuration.mapsAllMemory {
      do { try kernel.mapAllMemory() } catch {
        kernel.shutDown()
        throw .boot(.outOfMemory)
      }
    }
    calls = KernelCalls(kernel)
    collapseInterval = configuration.collapseInterval
    if configuration.swapPages > 0 {
      do { try kernel.swapOn(pages: configuration.swapPages) } catch { throw .swap(configuration.swapPages) }
    }
    let memory = platform.memory.memory
    units = (0..<configuration.cpus).map { _ in SimulatedMMU(memory: memory, tlbs: configuration.tlbs) }
  }

  @usableFromInline static func holdBack(_ wanted: MemoryGeometry, _ frames: FrameAllocator) -> [FrameNumber]
  {
    let surplus = (wanted.roundedUp.bytes - wanted.bytes) >> 12
    return (0..<surplus).compactMap { _ in frames.allocate() }
  }

  /// Lets every CPU's hardware forget what its mailbox says.
  @inlinable public func deliverInvalidations() {
    for cpu in 0..<units.count {
      let local = platform.platform.cpu(cpu)
      guard !local.mailbox.isEmpty else { continue }
      deliver(local.mailbox, to: units[cpu].mmu)
    }
  }

  @usableFromInline func deliver(_ mailbox: InvalidationMailbox, to mmu: MMU<Walker>) {
    mailbox.drain { request in
      switch request.scope {
      case .space(let id): mmu.invalidate(spaceID: id.raw, range: request.range)
      case .everyone: mmu.invalidateEveryone(range: request.range)
      }
    }
  }

  /// Ends all processes and gives everything back.
  /// - Returns: frames that were lost; anything but zero is a bug.
  public func shutDown() -> UInt64 {
    kernel.shutDown()
    for frame in heldBack { platform.memory.allocator.free(frame) }
    let frames = platform.memory.allocator
    return platform.memory.memory.frameCount - 1 - frames.freeFrames
  }
}

/// How a machine is made.
public struct MachineConfiguration: Sendable {
  /// Physical memory. A size that is no multiple of 2 MiB is made by keeping frames back.
  public var memory = MemoryGeometry(bytes: 16 << 30)
  /// Slots of the swap area, in base pages; 0 for none.
  public var swapPages: UInt64 = 0
  /// CPUs.
  public var cpus = 1
  /// TLB sizes.
  public var tlbs = TLBConfiguration.standard
  /// What the driver's options are.
  public var options = DriverOptions()
  /// How huge pages are used.
  public var hugePages = HugePageSettings()
  /// Accesses between two passes of the background job that makes huge pages. Linux's job waits ten seconds, more than
  /// a recorded program runs; this is short enough for it to be seen at work.
  public var collapseInterval: UInt64 = 1_000_000
  /// Whether the kernel maps all of physical memory for itself at boot; takes memory for tables.
  public var mapsAllMemory = false
  /// 16 GiB, no swap, one CPU, TLBs of a current server CPU.
  public init() {}
}

extension MemoryGeometry {
  /// The next size that simulated memory can have.
  @usableFromInline var roundedUp: MemoryGeometry {
    let block = PageSize.twoMiB
    return MemoryGeometry(bytes: (bytes &+ block.mask) & ~block.mask, nodes: nodes)
  }
}

/// Why a machine could not be made.
public enum MachineError: Error, Sendable {
  /// No simulated memory.
  case memory(ArenaError)
  /// A swap area of so many pages is more than translations can name.
  case swap(UInt64)
  /// The driver did not boot.
  case boot(ServiceError)

  /// One line that says what is wrong.
  public var message: String {
    switch self {
    case .memory(let error): error.description
    case .swap(let pages): "a swap area of \(pages) pages is too large for the driver; use a smaller --swap"
    case .boot(.outOfMemory): "the driver found too little simulated memory to boot; use a larger --memory"
    case .boot(.badOption(let name, let reason)): "driver option '\(name)': \(reason)"
    case .boot(let error): "the driver did not boot: \(error)"
    }
  }
}
