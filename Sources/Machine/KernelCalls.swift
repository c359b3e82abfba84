// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory
public import VMM

/// The kernel's entry points as values.
///
/// The rest of a replay (judging answers, following files) is compiled once for all drivers and could only reach the
/// kernel's generic form. These are made where the driver's type is named, so they lead to the code compiled for it.
public struct KernelCalls<Service: TranslationService> {
  /// A process as this kernel has it.
  public typealias KernelProcess = Process<Service.Database>

  /// `Kernel.pageFault`, for callers that are not themselves compiled for the driver.
  public let pageFault: (Space<Service.Database>, VirtualAddress, AccessKind) -> FaultOutcome
  /// `Kernel.keyRefusal`.
  public let keyRefusal: (KernelProcess, VirtualAddress, AccessKind) -> FaultRefusal?
  /// `Kernel.transfer`.
  public let transfer: (KernelProcess, IOVector, KernelProcess, IOVector, AccessKind) throws(Errno) -> UInt64
  /// `Kernel.systemCall`.
  public let systemCall: (KernelProcess, SystemCallRequest) throws(Errno) -> UInt64
  /// `Kernel.copyUser`.
  public let copyUser: (KernelProcess, VirtualRange, AccessKind) throws(Errno) -> Void
  /// `Kernel.start`.
  public let start: (UInt32) throws(Errno) -> KernelProcess
  /// `Kernel.fork`.
  public let fork: (KernelProcess, UInt32) throws(Errno) -> KernelProcess
  /// `Kernel.execute`.
  public let execute: (KernelProcess) throws(Errno) -> Void
  /// `Kernel.exit`.
  public let exit: (UInt32) -> Void
  /// `Kernel.collapseInBackground`.
  public let collapseInBackground: () -> UInt64

  /// The entry points of `kernel`.
  @inlinable public init(_ kernel: Kernel<Service>) {
    pageFault = { kernel.pageFault($0, $1, $2) }
    keyRefusal = { kernel.keyRefusal($0, $1, $2) }
    transfer = { (process, local, target, remote, kind) throws(Errno) in
      try kernel.transfer(process, local, target, remote, kind)
    }
    systemCall = { (process, request) throws(Errno) in try kernel.systemCall(process, request) }
    copyUser = { (process, range, kind) throws(Errno) in try kernel.copyUser(process, range, kind) }
    start = { (pid) throws(Errno) in try kernel.start(pid) }
    fork = { (parent, child) throws(Errno) in try kernel.fork(parent, child: child) }
    execute = { (process) throws(Errno) in try kernel.execute(process) }
    exit = { kernel.exit($0) }
    collapseInBackground = { kernel.collapseInBackground() }
  }
}
