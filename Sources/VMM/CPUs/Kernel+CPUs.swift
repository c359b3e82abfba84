// SPDX-License-Identifier: MIT
public import EMTCore

// Which CPU runs which process, and on which CPU the kernel works.
//
// The kernel is one thread of the host: it serves one CPU at a time, through one handle that acts as that CPU. So kernel
// work is counted on the CPU that asked for it, and a change interrupts only the others.
extension Kernel {
  /// Kernel work from here on is done on `cpu`: its faults, its calls. Between operations only.
  public func act(on cpu: Int) { platform.cpu(0).act(as: platform.cpu(cpu)) }

  /// The CPU that kernel work is done on.
  public var actingCPU: Int { platform.cpu(0).acting }

  /// Lets `cpu` run a thread of `process`, and do kernel work from now on.
  ///
  /// Registers are loaded only when the CPU has another address space in them. Its TLB keeps what it knows: a space that
  /// changed while the CPU was away is forgotten on return, as a whole.
  public func run(_ process: Process<Database>, on cpu: Int) {
    act(on: cpu)
    load(process, on: cpu)
  }

  /// Leaves `cpu` without anything to do. The address space stays in its registers, so that coming back costs nothing, but
  /// no flush interrupts it meanwhile (Linux: lazy TLB mode). Nothing but kernel addresses may be used on it.
  public func idle(_ cpu: Int) {
    running[cpu] = nil
    let context = database(on: cpu).context
    if context.spaceID != .kernel { context.rest(cpu) }
  }

  /// The CPUs that have the space loaded and do not rest, as bits: those that a flush reaches.
  public func processors(of space: Space<Database>) -> UInt64 { space.database.context.runningOn }

  /// Whether a CPU other than the one that works runs on the space: its flushes are shootdowns then, and worth collecting.
  @inlinable func isElsewhere(_ space: Space<Database>) -> Bool {
    platform.cpuCount > 1
      && space.database.context.runningOn & ~(1 << UInt64(platform.cpu(0).acting)) != 0
  }

  /// The process's CPUs follow it into its new address space.
  @usableFromInline func reload(_ process: Process<Database>) {
    for cpu in running.indices where running[cpu] === process { load(process, on: cpu) }
  }

  /// A process that ended runs nowhere.
  @usableFromInline func takeOffCPUs(_ process: Process<Database>) {
    for cpu in running.indices where running[cpu] === process { idle(cpu) }
  }

  private func load(_ process: Process<Database>, on cpu: Int) {
    let context = process.space.database.context
    running[cpu] = process
    if (context.runningOn | context.restingOn) >> UInt64(cpu) & 1 == 1 {
      if context.restingOn >> UInt64(cpu) & 1 == 1 { context.resume(cpu) }
      return
    }
    do { _ = try service.switchTo(process.space.database, on: cpu) } catch {
      preconditionFailure("CPU \(cpu) could not be switched: \(error)")
    }
  }

  private func database(on cpu: Int) -> Database {
    do { return try service.current(on: cpu) } catch { preconditionFailure("there is no CPU \(cpu)") }
  }
}
