// SPDX-License-Identifier: MIT
internal import EMTCore
internal import MMU
internal import Machine
public import SimMemory
public import VMM

// Processes: what they do, and what is known of them.
extension MachineHost {
  /// Starts a process.
  public func start(_ pid: UInt32) throws(Errno) { _ = try machine.calls.start(pid) }

  /// Copies a process.
  public func fork(_ pid: UInt32, child: UInt32) throws(Errno) {
    defer { machine.deliverInvalidations() }
    _ = try machine.calls.fork(process(pid), child)
  }

  /// A child in the same memory.
  public func share(_ pid: UInt32, child: UInt32) throws(Errno) {
    _ = try kernel.share(process(pid), child: child)
  }

  /// A copy of the shared memory for the child.
  public func unshare(_ pid: UInt32) throws(Errno) {
    defer { machine.deliverInvalidations() }
    try kernel.unshare(process(pid))
  }

  /// A new program.
  public func execute(_ pid: UInt32) throws(Errno) {
    defer { machine.deliverInvalidations() }
    try machine.calls.execute(process(pid))
  }

  /// The end.
  public func exit(_ pid: UInt32) {
    machine.calls.exit(pid)
    machine.deliverInvalidations()
  }

  /// A system call.
  public func call(_ pid: UInt32, on cpu: Int, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    // It may have ended for want of memory, unforeseen by the case.
    guard let process = kernel.processes[pid] else { throw .esrch }
    run(process, on: cpu)
    defer { machine.deliverInvalidations() }
    return try machine.calls.systemCall(process, request)
  }

  /// A file call.
  public func follow(_ pid: UInt32, _ call: FileCall) {
    kernel.follow(process(pid), call)
    machine.deliverInvalidations()
  }

  /// One access. A fault that was served is repeated, as hardware does.
  public func access(
    _ pid: UInt32, on cpu: Int, _ kind: AccessKind, _ address: UInt64, _ value: UInt8
  ) -> Access {
    guard let process = kernel.processes[pid] else { return .outOfMemory }
    let address = VirtualAddress(address)
    let memory = machine.platform.memory.memory
    run(process, on: cpu)
    if let refusal = machine.calls.keyRefusal(process, address, kind) { return .refused(refusal) }
    for _ in 0..<16 {
      if case .physical(let place) = machine.translate(kind, address, on: cpu, isUser: true) {
        if kind == .store { memory.setByte(value, at: place) }
        return .byte(memory.byte(at: place))
      }
      let outcome = machine.calls.pageFault(process.space, address, kind)
      machine.deliverInvalidations()
      switch outcome {
      case .resolved: continue
      case .refused(let refusal): return .refused(refusal)
      case .outOfMemory: return .outOfMemory
      case .waits(let reason): return .waits(reason)
      }
    }
    return .endless
  }

  /// Bytes between a file and the process.
  public func moveFileBytes(
    _ pid: UInt32, _ descriptor: UInt32, _ address: UInt64, count: UInt64, at offset: UInt64?,
    _ kind: AccessKind
  ) throws(Errno) -> UInt64 {
    defer { machine.deliverInvalidations() }
    return try kernel.moveFileBytes(
      process(pid), descriptor, VirtualAddress(address), count: count, at: offset, kind)
  }

  /// The kernel's access to user memory.
  public func copyUser(_ pid: UInt32, _ range: VirtualRange, _ kind: AccessKind) throws(Errno) {
    defer { machine.deliverInvalidations() }
    try machine.calls.copyUser(process(pid), range, kind)
  }

  /// The layout.
  public func layout(_ pid: UInt32) -> SpaceLayout { process(pid).space.layout }

  /// Counted faults.
  public func faults(_ pid: UInt32) -> FaultCounts { process(pid).space.faults }

  /// Counted pages.
  public func counts(_ pid: UInt32) -> (resident: UInt64, peak: UInt64, swapped: UInt64) {
    let process = process(pid)
    return (process.space.residentPages, process.peakResidentPages, process.space.swappedPages)
  }

  /// Bytes in use.
  public func memoryUse(_ pid: UInt32) -> [(area: VMA, use: MemoryUse)] {
    kernel.memoryUse(process(pid).space)
  }

  /// Bits of pages.
  public func pageMap(_ pid: UInt32, _ range: VirtualRange) -> [PageMapEntry] {
    kernel.pageMap(process(pid).space, range)
  }

  /// Clears bits.
  public func clearReferences(_ pid: UInt32, _ kind: ClearedReferences) {
    kernel.clearReferences(process(pid).space, kind)
    machine.deliverInvalidations()
  }

  /// Pages in memory.
  public func residentPages(_ pid: UInt32, _ range: VirtualRange) -> UInt64 {
    kernel.residentPages(process(pid).space, range)
  }

  /// A translation.
  public func page(_ pid: UInt32, _ address: UInt64) -> PageView {
    let object = process(pid).space.database.find(VirtualAddress(address))
    var view = PageView()
    view.isMapped = object.isMapped
    guard object.isMapped else { return view }
    (view.isPresent, view.size) = (object.isPresent, object.size)
    guard object.isPresent else { return view }
    (view.isZeroPage, view.isWritable) = (object.isSpecial, object.isWritable)
    (view.isAccessed, view.isDirty) = (object.isAccessed, object.isDirty)
    return view
  }

  /// A page's node.
  public func node(_ pid: UInt32, _ address: UInt64) -> Int? {
    kernel.node(ofPageAt: VirtualAddress(address), in: process(pid).space)
  }

  /// Allowed nodes.
  public func allow(_ pid: UInt32, _ nodes: NodeSet, migrates: Bool) throws(Errno) {
    defer { machine.deliverInvalidations() }
    _ = try kernel.allow(nodes, for: process(pid).space, migrates: migrates)
  }

  /// File pages from all nodes in turn.
  public func spreadFilePages(_ pid: UInt32, _ isOn: Bool) {
    kernel.spreadFilePages(isOn, of: process(pid).space)
  }

  /// An open file.
  public func openFile(_ pid: UInt32, _ descriptor: UInt32) -> OpenFile? {
    process(pid).descriptors[descriptor]
  }

  /// Who it is.
  public func credentials(_ pid: UInt32) -> Credentials {
    let process = process(pid)
    return Credentials(user: process.user, privileges: process.privileges, keyRights: process.keyRights)
  }

  /// Who it is from now on.
  public func setCredentials(_ pid: UInt32, _ credentials: Credentials) {
    let process = process(pid)
    process.user = credentials.user
    process.privileges = credentials.privileges
    process.keyRights = credentials.keyRights
  }

  /// An event of a userfaultfd.
  public func userfaultEvent(_ pid: UInt32, _ descriptor: UInt32) throws(Errno) -> UserfaultEvent? {
    try kernel.takeUserfaultEvent(process(pid), descriptor)
  }

  /// Whether an access still waits.
  public func isWaiting(_ pid: UInt32, _ address: UInt64) -> Bool {
    kernel.isWaiting(process(pid).space, VirtualAddress(address))
  }
}
