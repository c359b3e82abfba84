// SPDX-License-Identifier: MIT
public import EMTCore
public import MMU
public import Machine
internal import SimMemory
internal import VMM

/// Boots a machine of the wanted kind on some driver.
public typealias ScenarioBoot =
  @Sendable (MachineConfiguration) throws(MachineError) -> any ScenarioHost

/// A machine as scenarios see it. The kernel and hardware behind it are compiled for the driver where the machine is
/// made; this is compiled once.
public final class MachineHost<Service: TranslationService, Walker: PageWalker>: ScenarioHost
where Service.Root == Walker.Root {
  typealias Proc = Process<Service.Database>
  let machine: Machine<Service, Walker>

  /// A booted machine.
  public init(_ machine: Machine<Service, Walker>) { self.machine = machine }

  /// Boots a machine by code that is not compiled for the driver: slower to run, and nothing to compile.
  public static func boot(
    _ configuration: MachineConfiguration
  ) throws(MachineError) -> any ScenarioHost { MachineHost(try Machine(configuration)) }

  var kernel: Kernel<Service> { machine.kernel }
  var frames: FrameAllocator { machine.platform.platform.frames }

  func process(_ pid: UInt32) -> Proc {
    guard let process = kernel.processes[pid] else { preconditionFailure("there is no process \(pid)") }
    return process
  }

  /// Lets a CPU run the process, if it does not yet; one that ran it before has nothing to do then.
  func run(_ process: Proc, on cpu: Int) {
    if kernel.running[cpu] === process { return kernel.act(on: cpu) }
    for other in kernel.running.indices where kernel.running[other] === process { machine.idle(other) }
    machine.run(process, on: cpu)
  }
}
