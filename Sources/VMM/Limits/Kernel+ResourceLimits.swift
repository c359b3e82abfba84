// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

extension Kernel {
  /// `prlimit(pid, resource, new, old)`, `setrlimit(resource, new)` and `getrlimit(resource, old)`, where `new` and `old`
  /// lead to two numbers in user memory: the limit and its ceiling.
  @inlinable
  func resourceLimit(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    var (pid, resource, new, old) = (request[0], request[1], request.address(2), request.address(3))
    switch request.number {
    case .setrlimit: (pid, resource, new, old) = (0, request[0], request.address(1), VirtualAddress(0))
    case .getrlimit: (pid, resource, new, old) = (0, request[0], VirtualAddress(0), request.address(1))
    default: break
    }
    var wanted: (limit: UInt64, ceiling: UInt64)?
    if new.raw != 0 {
      wanted = (
        try loadUser(process, new), try loadUser(process, new.advanced(by: 8))
      )
    }
    try commit(request)
    let before = try changeLimit(process, of: UInt32(truncatingIfNeeded: pid), resource & 0xFFFF_FFFF, wanted)
    if old.raw != 0 {
      try storeUser(before.limit, process, old)
      try storeUser(before.ceiling, process, old.advanced(by: 8))
    }
    return 0
  }

  /// Changes a limit if that is asked for.
  /// - Returns: what it was before.
  @usableFromInline
  func changeLimit(
    _ process: Process<Database>, of pid: UInt32, _ resource: UInt64,
    _ wanted: (limit: UInt64, ceiling: UInt64)?
  ) throws(Errno) -> (limit: UInt64, ceiling: UInt64) {
    let target = pid == 0 ? process : try self.process(pid)
    let mayRaise = process.privileges.contains(.raiseLimits)
    if target !== process, target.user != process.user, !mayRaise { throw .eperm }
    guard resource < UInt64(ResourceLimits.count) else { throw .einval }
    let before = target.space.layout.limits[Int(resource)]
    if let wanted {
      if wanted.limit > wanted.ceiling { throw .einval }
      if wanted.ceiling > before.ceiling, !mayRaise { throw .eperm }
      target.space.layout.limits[Int(resource)] = wanted
    }
    return before
  }
}
