// SPDX-License-Identifier: MIT
public import SimMemory
public import VMM

// Other processes, and calls of the less frequent kinds.
extension Program {
  /// `fork`: a child with a copy of the memory.
  public func fork() throws(Errno) -> Program {
    let child = scenario.takePid()
    try act("fork() = \(child)") { () throws(Errno) in try host.fork(pid, child: child) }
    return Program(scenario, child)
  }

  /// `clone(CLONE_VM)` or `vfork`: a child in the same memory.
  public func share() throws(Errno) -> Program {
    let child = scenario.takePid()
    try act("clone(CLONE_VM) = \(child)") { () throws(Errno) in try host.share(pid, child: child) }
    return Program(scenario, child)
  }

  /// `execve`: the memory of a new program, with nothing mapped.
  public func execute() throws(Errno) {
    try act("execve()") { () throws(Errno) in try host.execute(pid) }
  }

  /// `exit`. The program must not be used any more.
  public func exit() {
    note("exit")
    host.exit(pid)
  }

  /// A child runs `body` and exits.
  public func inChild(_ body: (Program) throws -> Void) throws {
    let child = try fork()
    try body(child)
    child.exit()
  }

  /// `shmget`.
  public func segment(key: UInt64 = 0, bytes: UInt64, flags: UInt64 = 0o1600) throws(Errno) -> UInt64 {
    try call(.shmget, ["key": key, "bytes": bytes, "flags": flags])
  }

  /// `shmat`: SHM_RDONLY 0o10000, SHM_RND 0o20000, SHM_REMAP 0o40000.
  public func attach(_ segment: UInt64, at address: UInt64 = 0, flags: UInt64 = 0) throws(Errno) -> UInt64 {
    try call(.shmat, ["segment": segment, "address": address, "flags": flags])
  }

  /// `shmdt`.
  public func detach(_ address: UInt64) throws(Errno) { try call(.shmdt, ["address": address]) }

  /// `shmctl(IPC_RMID)`.
  public func removeSegment(_ segment: UInt64) throws(Errno) {
    try call(.shmctl, ["segment": segment, "command": 0, "buffer": 0])
  }

  /// `pkey_alloc`.
  public func allocateKey(rights: UInt64 = 0) throws(Errno) -> UInt64 {
    try call(.pkeyAlloc, ["flags": 0, "rights": rights])
  }

  /// `pkey_mprotect`.
  public func protect(_ address: UInt64, pages: UInt64 = 1, _ protection: Rights, key: UInt64) throws(Errno) {
    try call(
      .pkeyMprotect, ["address": address, "bytes": pages * page, "protection": protection, "key": key])
  }

  /// `process_vm_readv` (`.store`: into this program's memory) or `process_vm_writev` of one piece.
  @discardableResult
  public func transfer(
    _ local: UInt64, with other: Program, _ remote: UInt64, bytes: UInt64, _ kind: AccessKind
  ) throws(Errno) -> UInt64 {
    let mine = vector([(local, bytes)], at: 14 * page)
    let theirs = vector([(remote, bytes)], at: 14 * page + 16)
    return try call(
      kind == .store ? .processVmReadv : .processVmWritev,
      [
        "pid": UInt64(other.pid), "local": mine, "count": 1, "remote": theirs, "remoteCount": 1, "flags": 0,
      ])
  }
}
