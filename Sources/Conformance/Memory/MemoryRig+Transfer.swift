// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Machine
internal import Reference
internal import SimMemory
internal import VMM

extension MemoryRig {
  /// Bytes that lie in one page on both sides.
  private struct Piece {
    var near: UInt64
    var far: UInt64
    var bytes: UInt64
  }

  /// Copies bytes between two processes on the machine and in the model, as far as each lets them be copied.
  func transfer(
    _ process: Proc, _ local: UInt64, _ other: Proc, _ remote: UInt64, _ bytes: UInt64, isWrite: Bool
  ) {
    let pieces = pieces(local, remote, bytes)
    // What was freed lazily may hold one thing or the other.
    for piece in pieces {
      if model.page(process.pid, piece.near >> 12)?.mayVanish == true { return }
      if model.page(other.pid, piece.far >> 12)?.mayVanish == true { return }
    }
    let expected = pieces.prefix { isReachable(process, other, $0, isWrite: isWrite) }
      .reduce(0) { $0 + $1.bytes }
    var copied: UInt64 = 0
    do throws(Errno) {
      copied = try calls.transfer(
        process, vector(local, bytes), other, vector(remote, bytes), isWrite ? .store : .load)
    } catch {
      if error != .efault, !mayRunShort { report("a copy fails with \(error.name)") }
    }
    mix(copied)
    if copied < expected, mayRunShort {
      expectShortage("copy")
    } else if copied != expected {
      report(
        "process \(process.pid) copies \(copied) bytes between \(hex(local)) and \(hex(remote)) of process "
          + "\(other.pid), expected \(expected)")
    }
    var rest = copied
    for piece in pieces where rest >= piece.bytes && difference == nil {
      rest -= piece.bytes
      copy(process.pid, other.pid, piece, isWrite: isWrite)
    }
    compare(process, local >> 12..<(local + bytes + 4095) >> 12)
    compare(other, remote >> 12..<(remote + bytes + 4095) >> 12)
  }

  private func vector(_ start: UInt64, _ bytes: UInt64) -> IOVector {
    IOVector(VirtualRange(VirtualAddress(start), bytes: bytes))
  }

  private func pieces(_ local: UInt64, _ remote: UInt64, _ bytes: UInt64) -> [Piece] {
    var pieces: [Piece] = []
    var done: UInt64 = 0
    while done < bytes {
      let (near, far) = (local + done, remote + done)
      let count = min(bytes - done, 4096 - near & 4095, 4096 - far & 4095)
      pieces.append(Piece(near: near, far: far, bytes: count))
      done += count
    }
    return pieces
  }

  /// Whether the model lets a piece be copied: the other process's keys do not count, its rights do as they were asked
  /// for.
  private func isReachable(_ process: Proc, _ other: Proc, _ piece: Piece, isWrite: Bool) -> Bool {
    let far = model.page(other.pid, piece.far >> 12)
    guard let far, far.rights & (isWrite ? 2 : 1) != 0 else { return false }
    return model.verdict(other.pid, piece.far >> 12, isStore: isWrite, ignoringKeys: true) == .allowed
      && model.verdict(process.pid, piece.near >> 12, isStore: !isWrite) == .allowed
  }

  private func copy(_ pid: UInt32, _ other: UInt32, _ piece: Piece, isWrite: Bool) {
    let (source, sink) = isWrite ? (piece.near, piece.far) : (piece.far, piece.near)
    let (sourcePid, sinkPid) = isWrite ? (pid, other) : (other, pid)
    let contents = model.contents(sourcePid, source >> 12)
    for index in 0..<piece.bytes {
      let value = contents[UInt16((source + index) & 4095)]
      model.store(sinkPid, sink >> 12, offset: UInt16((sink + index) & 4095), value)
    }
  }
}
