// SPDX-License-Identifier: MIT
public import EMTCore
public import Events
public import MMU
public import SimMemory
public import VMM

/// Replays the events of a trace on a machine: translates every access, serves faults, performs system calls and
/// compares their answers with the real kernel's.
///
/// The real kernel's free choices (addresses, descriptors) are taken from the trace. What was mapped before the trace
/// began is inferred from use (see `Docs/TraceFormat.md`).
public struct Replay<Service: TranslationService, Walker: PageWalker>: EventSink
where Service.Root == Walker.Root {
  /// The machine.
  public let machine: Machine<Service, Walker>
  /// What was counted and compared so far.
  public var tally = ReplayTally()
  /// Called after every system call and at the end of every process, if set; returns what is wrong.
  public var check: ((Machine<Service, Walker>) -> String?)?

  /// Kernel work that was done before the replay began: booting.
  public let workBefore: KernelWork

  @usableFromInline var mmu: MMU<Walker>
  @usableFromInline let memory: PhysicalMemory
  @usableFromInline var root: Service.Root
  /// Fetches so far.
  public var fetches: UInt64 = 0
  /// Loads so far.
  public var loads: UInt64 = 0
  /// Stores so far.
  public var stores: UInt64 = 0
  /// When the background job that makes huge pages runs again, in accesses.
  @usableFromInline var nextCollapse: UInt64
  /// An access that the kernel refused, until the trace says whether Linux did too.
  @usableFromInline var pending: PendingRefusal?
  /// Bytes of the tables of all processes but the running one.
  @usableFromInline var otherTableBytes: UInt64 = 0
  @usableFromInline var current: TracedProcess<Service>
  var processes: [UInt32: TracedProcess<Service>] = [:]
  var hasSignalLines = false
  /// Which CPU each thread runs on: they are dealt out in the order in which threads are seen.
  var homes: [UInt32: Int] = [:]
  /// The thread that runs.
  var thread: UInt32 = 0

  /// A replay that begins on a freshly booted machine.
  public init(on machine: Machine<Service, Walker>) {
    self.machine = machine
    machine.kernel.limitUserSpace(to: UserSpace.end)
    // What Linux answered decides: where it had huge pages, this kernel gets as many.
    machine.kernel.hugePoolsFollowDemand = true
    do { try machine.kernel.mountHugePages(.twoMiB, at: "/dev/hugepages") } catch {}
    workBefore = machine.platform.work
    mmu = machine.units[0].mmu
    memory = machine.platform.memory.memory
    root = machine.kernel.service.registers[0]
    current = TracedProcess(process: nil)
    let runs = machine.kernel.hugePages.policy != .never && machine.collapseInterval > 0
    nextCollapse = runs ? machine.collapseInterval : .max
  }

  /// One access: through the TLB or a walk, and through the kernel where that faults. A store leaves a mark in the page,
  /// so that contents can be compared between drivers.
  @inlinable
  public mutating func access(
    _ kind: AccessKind, _ address: VirtualAddress, size: UInt32
  ) throws(ReplayStop) {
    if pending != nil { try settlePending() }
    switch kind {
    case .fetch: fetches &+= 1
    case .load: loads &+= 1
    case .store: stores &+= 1
    }
    guard address.offset(in: .base) &+ UInt64(size) <= PageSize.base.bytes else {
      return try accessAcrossPages(kind, address, size: size)
    }
    if case .physical(let physical) = mmu.translate(address, kind, root, isUser: true) {
      if kind == .store { memory.setByte(UInt8(truncatingIfNeeded: stores), at: physical) }
    } else {
      try accessFaulted(kind, address)
    }
  }

  /// An access that touches two pages.
  @usableFromInline
  mutating func accessAcrossPages(
    _ kind: AccessKind, _ address: VirtualAddress, size: UInt32
  ) throws(ReplayStop) {
    let last = address.advanced(by: UInt64(size) &- 1)
    var part = address
    while part <= last {
      if case .physical(let physical) = mmu.translate(part, kind, root, isUser: true) {
        if kind == .store { memory.setByte(UInt8(truncatingIfNeeded: stores), at: physical) }
      } else {
        try accessFaulted(kind, part)
      }
      if pending != nil { return }
      part = part.aligned(down: .base).advanced(by: PageSize.base.bytes)
    }
  }

  /// Serves the fault of an access until it succeeds or is refused.
  @inlinable @inline(never)
  mutating func accessFaulted(_ kind: AccessKind, _ address: VirtualAddress) throws(ReplayStop) {
    guard let space = space else { throw ReplayStop.noProcess }
    var tries = 0
    while true {
      let outcome = machine.calls.pageFault(space, address, kind)
      machine.deliverInvalidations()
      switch outcome {
      case .resolved(let kind): noteFault(kind)
      case .outOfMemory: throw ReplayStop.outOfMemory
      case .waits: throw ReplayStop.faultLoop(address)
      case .refused(.notMapped) where infer(address, kind): break
      case .refused(let refusal):
        pending = PendingRefusal(address: address, access: kind, refusal: refusal)
        return
      }
      if case .physical(let physical) = mmu.translate(address, kind, root, isUser: true) {
        if kind == .store { memory.setByte(UInt8(truncatingIfNeeded: stores), at: physical) }
        return
      }
      tries += 1
      if tries > 16 { throw ReplayStop.faultLoop(address) }
    }
  }

  @inlinable var space: Space<Service.Database>? { current.process?.space }

  @inlinable mutating func noteFault(_ kind: FaultKind) {
    tally.faults.count(kind)
    noteTables()
    if fetches &+ loads &+ stores >= nextCollapse { collapseInBackground() }
  }
}

/// An access that was refused here.
@usableFromInline struct PendingRefusal: Sendable, Equatable {
  @usableFromInline var address: VirtualAddress
  @usableFromInline var access: AccessKind
  @usableFromInline var refusal: FaultRefusal

  @usableFromInline init(address: VirtualAddress, access: AccessKind, refusal: FaultRefusal) {
    self.address = address
    self.access = access
    self.refusal = refusal
  }
}

/// What the replay knows of a process beyond what the kernel knows.
@usableFromInline final class TracedProcess<Service: TranslationService> {
  @usableFromInline let process: Process<Service.Database>?
  /// Addresses that the trace unmapped: they are not the loader's any more.
  var unmapped = AddressRanges()
  /// No data access was seen since the image began: the first one is the stack's.
  var awaitsStack = false
  /// The page that was inferred last, in case the trace says that it was not there.
  var lastInferred: VirtualRange?
  /// A child that borrows its parent's address space (vfork).
  var borrows = false
  /// The last call was an execve that has not returned.
  var isExecuting = false
  /// A handler for SIGSEGV or SIGBUS was installed.
  var handlesFaults = false

  init(process: Process<Service.Database>?) { self.process = process }

  /// The knowledge of a child whose memory is a copy.
  func child(_ process: Process<Service.Database>) -> TracedProcess {
    let child = TracedProcess(process: process)
    child.unmapped = unmapped
    child.handlesFaults = handlesFaults
    return child
  }
}
