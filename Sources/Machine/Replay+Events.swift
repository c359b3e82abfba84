// SPDX-License-Identifier: MIT
public import EMTCore
public import Events
internal import MMU
internal import SimMemory
public import VMM

extension Replay {
  /// Anything but an access.
  public mutating func event(_ event: TraceEvent) throws(ReplayStop) {
    if case .refused(let refusal) = event { return try refused(refusal) }
    if case .stackGrown(_, let base) = event {
      hasSignalLines = true
      return try stackGrown(to: base)
    }
    if pending != nil { try settlePending(before: event) }
    switch event {
    case .run(let process, let thread):
      self.thread = thread
      try run(process)
    case .start(let process, let isFresh): try start(process, isFresh: isFresh)
    case .fork(let child, let kind): try fork(child, kind)
    case .systemCall(let record): try systemCall(record)
    case .exec: try exec()
    case .exit: try exit()
    case .refused, .stackGrown: break
    }
  }

  /// A process that ends right after a refused access was killed by it.
  private mutating func settlePending(before event: TraceEvent) throws(ReplayStop) {
    if event == .exit, !hasSignalLines {
      pending = nil
      tally.expectedRefusals += 1
      return
    }
    try settlePending()
  }

  private mutating func start(_ pid: UInt32, isFresh: Bool) throws(ReplayStop) {
    let process: Process<Service.Database>
    do { process = try machine.calls.start(pid) } catch {
      if error == .eexist { throw .contradiction("process \(pid) starts twice") }
      throw .outOfMemory
    }
    let traced = TracedProcess<Service>(process: process)
    traced.awaitsStack = isFresh
    processes[pid] = traced
    tally.processes += 1
    thread = pid
    try run(pid)
  }

  mutating func run(_ pid: UInt32) throws(ReplayStop) {
    guard let traced = processes[pid], let process = traced.process else {
      throw .contradiction("process \(pid) is to run, but nothing made it")
    }
    current = traced
    let service = machine.kernel.service
    if machine.units.count > 1 { return run(process) }
    do { _ = try service.switchTo(process.space.database, on: 0) } catch {
      throw .contradiction("CPU 0 could not switch to process \(pid)")
    }
    machine.deliverInvalidations()
    root = service.registers[0]
    measureOtherTables()
  }

  /// With several CPUs each thread has one of its own, as far as there are enough, and goes on there.
  private mutating func run(_ process: Process<Service.Database>) {
    let cpu = homes[thread] ?? homes.count % machine.units.count
    homes[thread] = cpu
    machine.run(process, on: cpu)
    mmu = machine.units[cpu].mmu
    root = machine.kernel.service.registers[cpu]
    measureOtherTables()
  }

  private mutating func fork(_ pid: UInt32, _ kind: ForkKind) throws(ReplayStop) {
    guard let parent = current.process else { throw .noProcess }
    if kind == .thread { return }
    let child: Process<Service.Database>
    do {
      child =
        try kind == .copy ? machine.calls.fork(parent, pid) : machine.kernel.share(parent, child: pid)
    } catch {
      if error == .eexist { throw .contradiction("process \(pid) is made twice") }
      throw .outOfMemory
    }
    machine.deliverInvalidations()
    let traced = current.child(child)
    traced.borrows = kind == .borrow
    processes[pid] = traced
    tally.processes += 1
    measureOtherTables()
    runCheck()
  }

  /// A child that borrows its parent's memory is to change its layout. Valgrind runs vfork as fork, so the parent must
  /// not see that: the child gets a copy now.
  mutating func stopBorrowing(_ process: Process<Service.Database>) throws(ReplayStop) {
    guard current.borrows else { return }
    current.borrows = false
    do { try machine.kernel.unshare(process) } catch { throw .outOfMemory }
    machine.deliverInvalidations()
    try run(process.pid)
  }

  private mutating func exec() throws(ReplayStop) {
    guard let process = current.process else { throw .noProcess }
    digest()
    do { try machine.calls.execute(process) } catch { throw .outOfMemory }
    let fresh = TracedProcess<Service>(process: process)
    fresh.awaitsStack = true
    processes[process.pid] = fresh
    try run(process.pid)
  }

  private mutating func exit() throws(ReplayStop) {
    guard let process = current.process else { throw .noProcess }
    if current.isExecuting { machine.kernel.noteUnseenWriters() }
    runCheck()
    if process.space.users == 1 { digest() }
    noteTables()
    tally.finalPages = machine.kernel.residentPages
    tally.finalTableBytes = machine.kernel.tableBytes
    machine.calls.exit(process.pid)
    machine.deliverInvalidations()
    processes[process.pid] = nil
    current = TracedProcess(process: nil)
  }

  /// Valgrind's "extended stack base": the stack reached further down than what was mapped.
  private mutating func stackGrown(to base: VirtualAddress) throws(ReplayStop) {
    guard let refused = pending else { return }
    pending = nil
    guard let space else { throw .noProcess }
    let page = base.aligned(down: .base)
    let index = space.layout.areas.firstIndex(endingAfter: page)
    guard index < space.layout.areas.areas.count else { return }
    prove(VirtualRange(page, space.layout.areas.areas[index].range.start))
    try accessFaulted(refused.access, refused.address)
  }

  /// Remembers the most bytes of tables. Only the running process's tables change between switches.
  @inlinable mutating func noteTables() {
    guard let space else { return }
    let own = space.database.footprint.total
    let bytes = otherTableBytes &+ own
    if own > tally.peakProcessTableBytes { tally.peakProcessTableBytes = own }
    guard bytes > tally.peakTableBytes else { return }
    tally.peakTableBytes = bytes
    if hasSeveralNodes { tally.peakTableBytesByNode = machine.kernel.tableBytesByNode }
  }

  @usableFromInline var hasSeveralNodes: Bool { machine.platform.platform.frames.nodeCount > 1 }

  /// Sums up the tables of all processes but the running one.
  mutating func measureOtherTables() {
    otherTableBytes = machine.kernel.tableBytes &- (space?.database.footprint.total ?? 0)
    noteTables()
  }

  mutating func runCheck() {
    guard let check else { return }
    tally.checks += 1
    guard let wrong = check(machine), tally.disagreements.count < 20 else { return }
    tally.disagreements.append(wrong)
  }

  /// Ends what the trace left running.
  public mutating func finish() throws(ReplayStop) {
    if pending != nil { try settlePending(before: .exit) }
    for pid in processes.keys.sorted() {
      thread = pid
      try run(pid)
      try exit()
    }
  }
}
