// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

extension Kernel {
  /// Serves a system call of `process`: checks, decides, acts. A refused call leaves everything as it was, except where
  /// Linux itself does a part first (mprotect and madvise up to a hole).
  /// - Returns: the result register.
  @inlinable @inline(never)
  public func systemCall(
    _ process: Process<Database>, _ request: SystemCallRequest
  ) throws(Errno) -> UInt64 {
    let mark = meter.enter(.systemCall)
    defer { meter.leave(mark) }
    meter.count(.systemCallEntry)
    if counters.value.placesPages { aim(process.space) }
    return try dispatch(process, request)
  }

  @inlinable
  func dispatch(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    switch request.number {
    case .mmap: try mmap(process, request)
    case .munmap: try munmap(process, request)
    case .mprotect, .pkeyMprotect: try mprotect(process, request)
    case .brk: try brk(process, request)
    case .mremap: try mremap(process, request)
    case .madvise: try madvise(process, request)
    case .mlock, .mlock2: try mlock(process, request)
    case .munlock: try munlock(process, request)
    case .mlockall: try mlockall(process, request)
    case .munlockall: try munlockall(process)
    case .mincore: try mincore(process, request)
    case .msync: try msync(process, request)
    case .mseal: try mseal(process, request)
    case .remapFilePages: try remapFilePages(process, request)
    case .shmget: try shmget(process, request)
    case .shmat: try shmat(process, request)
    case .shmdt: try shmdt(process, request)
    case .shmctl: try shmctl(process, request)
    case .memfdCreate: try memfdCreate(process, request)
    case .ftruncate: try ftruncate(process, request)
    case .fallocate: try fallocate(process, request)
    case .fcntl: try sealsCommand(process, request)
    case .ioctl: try ioctl(process, request)
    case .userfaultfd: try userfaultfd(process, request)
    case .fsync, .fdatasync: try fsync(process, request)
    case .cachestat: try cacheStatistics(process, request)
    case .prctl: try prctl(process, request)
    case .pkeyAlloc: try pkeyAlloc(process, request)
    case .pkeyFree: try pkeyFree(process, request)
    case .getrlimit, .setrlimit, .prlimit: try resourceLimit(process, request)
    case .getrusage: try getrusage(process, request)
    case .processVmReadv: try transfer(process, request, .load)
    case .processVmWritev: try transfer(process, request, .store)
    case .pidfdOpen: try pidfdOpen(process, request)
    case .processMadvise: try processMadvise(process, request)
    case .mbind: try mbind(process, request)
    case .setMempolicy: try setMempolicy(process, request)
    case .getMempolicy: try getMempolicy(process, request)
    case .migratePages: try migratePages(process, request)
    case .movePages: try movePages(process, request)
    case .setMempolicyHomeNode: try setHomeNode(process, request)
    case .readahead: try readahead(process, request)
    case .fadvise: try fadvise(process, request)
    }
  }

  /// Ends the checks of a call: throws what the circumstances decided for it.
  @inlinable func commit(_ request: SystemCallRequest) throws(Errno) {
    guard let verdict = request.circumstances.verdict else { return }
    verdictsUsed += 1
    throw verdict
  }

  /// Takes over the real kernel's refusal when it is for one of `reasons`, which depend on what this kernel does not
  /// know: permissions, features, file systems.
  @usableFromInline func excuse(_ request: SystemCallRequest, _ reasons: @autoclosure () -> Set<Errno>)
    throws(Errno)
  {
    guard let refusal = request.circumstances.refusal, reasons().contains(refusal) else { return }
    verdictsUsed += 1
    throw refusal
  }

  /// Brings every page of `range` in, as a store where the area may be written and is private, else as a load.
  /// - Returns: why it stopped early.
  @inlinable @discardableResult
  func populate(_ space: Space<Database>, _ range: VirtualRange) -> FaultOutcome? {
    var address = range.start
    while address < range.end {
      guard let area = space.layout.areas.area(at: address) else { return .refused(.notMapped) }
      let kind: AccessKind = area.rights.contains(.write) && area.isPrivate ? .store : .load
      let outcome = resolve(space, address, kind)
      guard case .resolved = outcome else { return outcome }
      address = nextAddress(space, after: address)
    }
    return nil
  }

  /// `bytes` rounded up to whole pages, zero when that overflows (Linux: PAGE_ALIGN).
  @inlinable func wrappingPageAligned(_ bytes: UInt64) -> UInt64 {
    (bytes &+ PageSize.base.mask) & ~PageSize.base.mask
  }

  /// `bytes` rounded up to whole pages; nil when that overflows.
  @inlinable func pageAligned(_ bytes: UInt64) -> UInt64? {
    let (sum, overflow) = bytes.addingReportingOverflow(PageSize.base.mask)
    return overflow ? nil : sum & ~PageSize.base.mask
  }
}
