// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

// Bytes of files, for programs that run here: a recorded program's read and write only move sizes and positions.
extension Kernel {
  /// `count` bytes of a file from `offset` on, fewer where it ends. Pages that are not in memory come in, but for holes of
  /// shared memory: these read as zeroes and stay holes, as on Linux.
  /// - Throws: `.einval` for files of pooled huge pages, `.enomem` when memory ran out.
  public func readFile(_ id: FileID, at offset: UInt64, count: UInt64) throws(Errno) -> [UInt8] {
    guard files[id].hugeTLB == nil else { throw .einval }
    let end = Swift.min(offset &+ count, files[id].size)
    var bytes: [UInt8] = []
    var next = offset
    while next < end {
      let number = next >> UInt64(PageSize.baseShift)
      let part = Swift.min(PageSize.base.bytes - next & PageSize.base.mask, end - next)
      if isHole(id, number) {
        bytes += Array(repeating: 0, count: Int(part))
        next += part
        continue
      }
      let place = try place(of: id, next)
      for step in 0..<part { bytes.append(platform.memory.byte(at: place.advanced(by: step))) }
      next += part
    }
    return bytes
  }

  /// Puts bytes into a file, which grows if they reach behind its end.
  /// - Throws: `.einval` for files of pooled huge pages, `.enomem` when memory ran out.
  public func writeFile(_ id: FileID, at offset: UInt64, _ bytes: [UInt8]) throws(Errno) {
    guard files[id].hugeTLB == nil else { throw .einval }
    for (index, byte) in bytes.enumerated() {
      let place = try place(of: id, offset &+ UInt64(index))
      platform.memory.setByte(byte, at: place)
      let frame = FrameNumber(place.raw >> UInt64(PageSize.baseShift))
      platform.frames.table.mark(.dirty, frame)
      platform.frames.markUsed(frame, frames: 1)
    }
    files[id].reach(offset &+ UInt64(bytes.count))
  }

  /// `pread` (`.store`: into user memory) or `pwrite` (`.load`: from it), and without an offset `read` or `write`.
  /// - Returns: how many bytes were moved before the file ended or memory could not be reached.
  /// - Throws: `.ebadf` where the descriptor is not open for that, `.eperm` where a seal forbids it, `.efault` where not
  ///   even the first byte could be reached.
  public func moveFileBytes(
    _ process: Process<Database>, _ descriptor: UInt32, _ address: VirtualAddress, count: UInt64,
    at offset: UInt64?, _ kind: AccessKind
  ) throws(Errno) -> UInt64 {
    guard let file = process.descriptors[descriptor], kind == .store ? file.isReadable : file.isWritable
    else { throw .ebadf }
    let start = offset ?? (kind == .load && file.appends ? files[file.file].size : file.position)
    var wanted = count
    if kind == .store {
      wanted = Swift.min(count, files[file.file].size - Swift.min(start, files[file.file].size))
    } else {
      let seals = files[file.file].seals
      guard seals.isDisjoint(with: [.write, .futureWrite]) else { throw .eperm }
      if seals.contains(.grow), start &+ count > files[file.file].size { throw .eperm }
    }
    var done: UInt64 = 0
    while done < wanted {
      let user = address.advanced(by: done)
      let part = Swift.min(PageSize.base.bytes - user.raw & PageSize.base.mask, wanted - done)
      do {
        let place = try reachOwn(process, user, kind)
        if kind == .store {
          let bytes = try readFile(file.file, at: start + done, count: part)
          for (step, byte) in bytes.enumerated() {
            platform.memory.setByte(byte, at: place.advanced(by: UInt64(step)))
          }
        } else {
          let bytes = (0..<part).map { platform.memory.byte(at: place.advanced(by: $0)) }
          try writeFile(file.file, at: start + done, bytes)
        }
      } catch {
        if done == 0 { throw error }
        break
      }
      done += part
    }
    if offset == nil { file.position = start + done }
    return done
  }

  private func isHole(_ id: FileID, _ number: UInt64) -> Bool {
    let file = files[id]
    return file.kind == .sharedMemory && file.pages[number] == nil && file.slots[number] == 0
  }

  /// Where a byte of a file is, once its page is in memory.
  private func place(of id: FileID, _ offset: UInt64) throws(Errno) -> PhysicalAddress {
    while true {
      if let page = cachedPage(of: id, offset >> UInt64(PageSize.baseShift)) {
        return page.frame.address.advanced(by: offset & PageSize.base.mask)
      }
      guard reclaimAfterFailure() else { throw .enomem }
    }
  }
}
