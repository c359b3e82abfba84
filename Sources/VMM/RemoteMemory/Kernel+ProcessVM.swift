// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

extension Kernel {
  /// `process_vm_readv` (`.load`) and `process_vm_writev` (`.store`):
  /// `(pid, local vector, pieces, remote vector, pieces, flags)`.
  /// - Returns: the bytes that were copied, which may be less than asked for.
  @inlinable
  func transfer(_ process: Process<Database>, _ request: SystemCallRequest, _ kind: AccessKind) throws(Errno)
    -> UInt64
  {
    guard request[5] == 0 else { throw .einval }
    let local = try ioVector(process, at: request.address(1), count: request[2], isLocal: true)
    guard local.bytes > 0 else { return 0 }
    let remote = try ioVector(process, at: request.address(3), count: request[4], isLocal: false)
    guard !remote.pieces.isEmpty else { return 0 }
    let target = try self.process(UInt32(truncatingIfNeeded: request[0]))
    guard process.mayReach(target) else { throw .eperm }
    try commit(request)
    return try transfer(process, local, target, remote, kind)
  }

  /// Copies between two processes until one vector ends, or a byte cannot be reached.
  /// - Throws: why not even the first byte could be copied.
  @inlinable
  public func transfer(
    _ process: Process<Database>, _ local: IOVector, _ target: Process<Database>, _ remote: IOVector,
    _ kind: AccessKind
  ) throws(Errno) -> UInt64 {
    var (local, remote) = (local, remote)
    var done: UInt64 = 0
    while let near = local.front, let far = remote.front {
      let count = Swift.min(near.bytes, far.bytes)
      do {
        try copyPiece(process, near.start, target.space, far.start, bytes: count, kind)
      } catch {
        guard done > 0 else { throw error }
        return done
      }
      local.drop(count)
      remote.drop(count)
      done &+= count
    }
    return done
  }

  /// Copies bytes that lie in one page on both sides. The remote page is brought in first, as on Linux; the local one's
  /// fault may replace it (they can be the same page) or reclaim it, so that it is looked up again.
  @inlinable
  func copyPiece(
    _ local: Process<Database>, _ near: VirtualAddress, _ remote: Space<Database>, _ far: VirtualAddress,
    bytes: UInt64, _ kind: AccessKind
  ) throws(Errno) {
    let isWrite = kind == .store
    for _ in 0..<8 {
      let there = try reachRemote(remote, far, kind)
      let here = try reachOwn(local, near, isWrite ? .load : .store)
      guard place(of: far, in: remote, kind) == there else { continue }
      let (source, sink) = isWrite ? (here, there) : (there, here)
      if source.raw &- sink.raw < bytes || sink.raw &- source.raw < bytes {
        // A page that both sides share: byte by byte, as if through a buffer.
        let contents = (0..<bytes).map { platform.memory.byte(at: source.advanced(by: $0)) }
        for (offset, byte) in contents.enumerated() {
          platform.memory.setByte(byte, at: sink.advanced(by: UInt64(offset)))
        }
      } else {
        platform.memory.copy(from: source, to: sink, bytes: bytes)
      }
      return
    }
    throw .enomem
  }

  /// As `reach`, by another process: rights count as they were asked for, and stacks do not grow.
  @inlinable
  func reachRemote(_ space: Space<Database>, _ address: VirtualAddress, _ kind: AccessKind) throws(Errno)
    -> PhysicalAddress
  {
    guard allowsRemote(space, address, kind) else { throw .efault }
    return try reach(space, address, kind)
  }

  @usableFromInline
  func allowsRemote(_ space: Space<Database>, _ address: VirtualAddress, _ kind: AccessKind) -> Bool {
    guard let area = space.layout.areas.area(at: address) else { return false }
    return area.rights.contains(kind == .store ? .write : .read)
  }
}
