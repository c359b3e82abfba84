// SPDX-License-Identifier: MIT
public import Conformance
public import EMTCore
public import MMU
public import Machine
internal import SimMemory
public import VMM

/// Random programs on one driver.
public struct FuzzJob: Sendable {
  /// What the programs are drawn from.
  public var seed: UInt64 = 1
  /// How many steps.
  public var steps = 100_000
  /// Physical memory in bytes.
  public var memoryBytes: UInt64 = 16 << 30
  /// Which memory gets transparent huge pages.
  public var policy = HugePagePolicy.never
  /// Slots of the swap area; 0 for none. With one, memory may run short.
  public var swapPages: UInt64 = 0
  /// Whether steps that show a difference are made few, which may take minutes.
  public var shortens = true
  /// Called now and then with the steps that are done.
  public var onProgress: @Sendable (Int) -> Void = { _ in }

  /// A job with default settings.
  public init() {}

  /// Runs the job.
  @inlinable
  public func run<Service: TranslationService, Walker: PageWalker>(
    _ service: Service.Type, _ walker: Walker.Type
  ) throws(CommandFailure) -> MemoryReport where Service.Root == Walker.Root {
    let configuration = configuration
    do throws(MachineError) {
      return try MemoryDifferential.explore(
        seed: seed, steps: steps, mayRunShort: swapPages > 0, shortens: shortens,
        boot: { () throws(MachineError) in try Machine<Service, Walker>(configuration) },
        progress: { onProgress($0) })
    } catch { throw .failed(error.message) }
  }

  @usableFromInline var configuration: MachineConfiguration {
    var configuration = MachineConfiguration()
    configuration.memory = MemoryGeometry(bytes: memoryBytes)
    configuration.swapPages = swapPages
    configuration.hugePages = HugePageSettings(policy: policy)
    return configuration
  }
}
