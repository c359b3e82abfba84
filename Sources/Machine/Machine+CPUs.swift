// SPDX-License-Identifier: MIT
public import EMTCore
public import MMU
public import SimMemory
public import VMM

// Several CPUs at work: who runs where, and accesses through each CPU's own hardware.
extension Machine {
  /// A process of the machine.
  public typealias MachineProcess = Process<Service.Database>

  /// Lets `cpu` run a thread of `process`, see `Kernel.run`.
  @inlinable public func run(_ process: MachineProcess, on cpu: Int) {
    kernel.run(process, on: cpu)
    deliverInvalidations()
  }

  /// Leaves `cpu` without anything to do, see `Kernel.idle`.
  @inlinable public func idle(_ cpu: Int) { kernel.idle(cpu) }

  /// A system call of the process that `cpu` runs.
  /// - Throws: what the call answers; `.esrch` when the CPU runs no process.
  @inlinable @discardableResult
  public func call(
    _ number: SystemCallNumber, _ arguments: [UInt64], on cpu: Int
  ) throws(Errno) -> UInt64 {
    guard let process = kernel.running[cpu] else { throw .esrch }
    kernel.act(on: cpu)
    defer { deliverInvalidations() }
    return try calls.systemCall(process, SystemCallRequest(number, arguments, circumstances: Circumstances()))
  }

  /// An access of the process that `cpu` runs, through the CPU's own TLBs and walker; faults are served on that CPU.
  @inlinable
  public func access(_ kind: AccessKind, _ address: VirtualAddress, on cpu: Int) -> MachineAccess {
    guard let process = kernel.running[cpu] else { return .refused(.notMapped) }
    for _ in 0..<16 {
      if case .physical(let physical) = translate(kind, address, on: cpu, isUser: true) {
        return .physical(physical)
      }
      kernel.act(on: cpu)
      let outcome = calls.pageFault(process.space, address, kind)
      deliverInvalidations()
      switch outcome {
      case .resolved: continue
      case .refused(let refusal): return .refused(refusal)
      case .outOfMemory: return .outOfMemory
      case .waits(let reason): return .waits(reason)
      }
    }
    preconditionFailure("the access at \(address) faults again and again")
  }

  /// What `cpu`'s hardware says to one access, in user mode or as the supervisor; nobody serves a fault.
  @inlinable
  public func translate(
    _ kind: AccessKind, _ address: VirtualAddress, on cpu: Int, isUser: Bool
  ) -> MMUResult {
    units[cpu].mmu.translate(address, kind, kernel.service.registers[cpu], isUser: isUser)
  }
}

/// How an access on one CPU ended.
@frozen public enum MachineAccess: Hashable, Sendable {
  /// The physical address of the byte.
  case physical(PhysicalAddress)
  /// The kernel refused it: a signal.
  case refused(FaultRefusal)
  /// Memory ran out.
  case outOfMemory
  /// Somebody else has to supply the page.
  case waits(UserfaultReason)
}
