// SPDX-License-Identifier: MIT
public import EMTCore
public import MMU
public import Machine
internal import SimMemory
public import VMM

/// A machine with one running process, and the kernel's entry points in short spelling: what micro workloads are
/// written with. Every call goes through the kernel as a program's would.
@usableFromInline
struct Workbench<Service: TranslationService, Walker: PageWalker> where Service.Root == Walker.Root {
  @usableFromInline typealias KernelProcess = Process<Service.Database>

  @usableFromInline let machine: Machine<Service, Walker>
  @usableFromInline var process: KernelProcess
  @usableFromInline var nextPID: UInt32 = 2

  /// Boots a machine and starts a process on its CPU.
  @inlinable init(_ configuration: MachineConfiguration) throws(CommandFailure) {
    do {
      machine = try Machine(configuration)
    } catch { throw .failed(error.message) }
    do {
      process = try machine.kernel.start(1)
      _ = try machine.kernel.service.switchTo(process.space.database, on: 0)
    } catch { throw .failed("a process could not be started: \(error)") }
  }

  /// Ends everything and checks that no frame was lost.
  @usableFromInline func close() throws(CommandFailure) {
    let lost = machine.shutDown()
    if lost != 0 { throw .failed("\(lost) frames were not given back: a bug of the driver") }
  }

  /// A system call that has to succeed.
  @discardableResult
  func call(_ number: SystemCallNumber, _ arguments: UInt64...) throws(CommandFailure) -> UInt64 {
    let result: UInt64
    do {
      result = try machine.calls.systemCall(process, SystemCallRequest(number, arguments))
    } catch { throw .failed("the micro workload's call of \(number) failed: \(error.name)") }
    machine.deliverInvalidations()
    return result
  }

  /// A system call that may fail.
  func tryCall(_ number: SystemCallNumber, _ arguments: UInt64...) {
    _ = try? machine.calls.systemCall(process, SystemCallRequest(number, arguments))
    machine.deliverInvalidations()
  }

  /// Private anonymous memory, readable and writable, at `address`.
  @usableFromInline
  func map(_ address: UInt64, pages: UInt64, flags: UInt64 = 0) throws(CommandFailure) {
    try call(.mmap, address, pages << 12, 3, 0x32 | flags, .max, 0)
  }

  /// One access to each of `pages` pages, `stride` bytes apart; each faults.
  func touch(_ address: UInt64, pages: UInt64, stride: UInt64 = 4096, _ kind: AccessKind = .store) {
    let space = process.space
    for page in 0..<pages {
      _ = machine.calls.pageFault(space, VirtualAddress(address &+ page &* stride), kind)
      machine.deliverInvalidations()
    }
  }

  /// A child of the process.
  mutating func fork() throws(CommandFailure) -> UInt32 {
    let pid = nextPID
    nextPID += 1
    do { _ = try machine.calls.fork(process, pid) } catch { throw .failed("fork failed: \(error.name)") }
    machine.deliverInvalidations()
    return pid
  }

  /// Ends a child.
  func exit(_ pid: UInt32) {
    machine.calls.exit(pid)
    machine.deliverInvalidations()
  }

  /// Replaces the process by a fresh one, so that every workload starts and ends with nothing.
  mutating func renew() throws(CommandFailure) {
    do {
      let fresh = try machine.calls.start(nextPID)
      nextPID += 1
      _ = try machine.kernel.service.switchTo(fresh.space.database, on: 0)
      machine.calls.exit(process.pid)
      process = fresh
    } catch { throw .failed("a process could not be started: \(error)") }
    machine.deliverInvalidations()
  }
}
