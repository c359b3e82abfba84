// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

extension Kernel {
  /// `pidfd_open(pid, flags)`: PIDFD_NONBLOCK 0x800 and PIDFD_THREAD 0x80 change nothing here.
  @usableFromInline
  func pidfdOpen(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    guard request[1] & ~0x880 == 0, Int32(truncatingIfNeeded: request[0]) > 0 else { throw .einval }
    let target = try self.process(UInt32(truncatingIfNeeded: request[0]))
    try commit(request)
    let descriptor = process.descriptors.lowestFree
    open(process, descriptor, OpenFile(file: files.make(.notMappable), isWritable: false, target: target.pid))
    return UInt64(descriptor)
  }

  /// `process_madvise(pidfd, vector, pieces, advice, flags)`.
  /// - Returns: the bytes that the advice was taken for, which may be less than asked for.
  @inlinable
  func processMadvise(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    guard request[4] & 0xFFFF_FFFF == 0 else { throw .einval }
    let vector = try ioVector(process, at: request.address(1), count: request[2], isLocal: true)
    let target = try adviseeOf(process, request)
    try commit(request)
    var done: UInt64 = 0
    for piece in vector.pieces {
      do {
        _ = try madvise(
          target, SystemCallRequest(.madvise, [piece.start.raw, piece.bytes, request[3]]))
      } catch {
        guard done > 0 else { throw error }
        return done
      }
      done &+= piece.bytes
    }
    return done
  }

  /// The process whose memory the advice is about, if the caller may advise it. Advice that changes contents is for a
  /// process itself only.
  @usableFromInline
  func adviseeOf(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> Process<
    Database
  > {
    guard let pid = process.descriptors[request.descriptor(0)]?.target else { throw .ebadf }
    let target = try self.process(pid)
    guard process.mayReach(target) else { throw .eperm }
    guard target.space !== process.space else { return target }
    switch Advice(rawValue: request[3] & 0xFFFF_FFFF) {
    case .cold, .pageOut, .willNeed, .collapse: break
    default: throw .einval
    }
    guard process.privileges.contains(.schedule) else { throw .eperm }
    return target
  }
}
