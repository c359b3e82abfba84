// SPDX-License-Identifier: MIT
import Glibc

/// A file, FIFO or standard input read through one reused buffer.
///
/// Unread bytes are `base[position..<end]`; at least `slack` zero bytes follow them, so that a parser may
/// look ahead a little without asking. The owner works on copies of the two indices and writes them back.
@safe @usableFromInline final class InputFile {
  /// Zeroed bytes that follow the last byte read.
  static let slack = 64
  /// Name for messages.
  let name: String
  /// The buffer.
  @usableFromInline let base: UnsafeMutablePointer<UInt8>
  private let capacity: Int
  private var descriptor: Int32
  /// First unread byte.
  @usableFromInline var position = 0
  /// One past the last byte read.
  @usableFromInline var end = 0
  /// Nothing more will come.
  @usableFromInline private(set) var isAtEnd = false
  /// The file is still being written: its end is not the end.
  var isGrowing = false
  /// Bytes read so far.
  private(set) var bytesRead: UInt64 = 0
  /// Called after each read with the number of new bytes.
  var onRead: (@Sendable (Int) -> Void)?

  /// Opens `path` (`-`: standard input) with room for `capacity` bytes. `isWritable`: for `releaseUsed`.
  init(path: String, capacity: Int = 1 << 20, isWritable: Bool = false) throws(TraceError) {
    name = path
    self.capacity = capacity
    unsafe base = .allocate(capacity: capacity + Self.slack)
    unsafe base.initialize(repeating: 0, count: capacity + Self.slack)
    let mode = isWritable ? O_RDWR : O_RDONLY
    descriptor = path == "-" ? 0 : unsafe open(path, mode | O_CLOEXEC)
    if descriptor < 0 { throw TraceError(file: path, problem: .cannot("open it", reason: lastErrorText())) }
  }

  deinit {
    close()
    unsafe base.deallocate()
  }

  /// Gives the file back; the bytes already read stay.
  func close() {
    if descriptor > 0 { _ = Glibc.close(descriptor) }
    descriptor = -1
    isAtEnd = true
  }

  /// Moves unread bytes to the front and reads more. Returns whether bytes were added; throws when the
  /// buffer is full.
  @usableFromInline func refill() throws(TraceError) -> Bool {
    guard !isAtEnd else { return false }
    let unread = end - position
    if position > 0 {
      unsafe base.update(from: base + position, count: unread)
      position = 0
      end = unread
      unsafe (base + end).update(repeating: 0, count: Self.slack)
    }
    guard end < capacity else { return false }
    while true {
      let count = unsafe read(descriptor, base + end, capacity - end)
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw TraceError(file: name, problem: .cannot("read it", reason: lastErrorText())) }
      if count == 0 && isGrowing { return false }
      if count == 0 { close() }
      end += count
      unsafe (base + end).update(repeating: 0, count: Self.slack)
      bytesRead += UInt64(count)
      if count > 0 { onRead?(count) }
      return count > 0
    }
  }

  /// Gives the disk space of the bytes used so far back, where the file system can.
  func releaseUsed() {
    let used = Int64(bytesRead) - Int64(end - position)
    let punchHole: Int32 = 0x02 | 0x01
    _ = hostFallocate(descriptor, punchHole, 0, off_t(used))
  }

  /// Goes on at byte `offset` of a regular file.
  func seek(to offset: UInt64) throws(TraceError) {
    guard lseek(descriptor, off_t(offset), SEEK_SET) >= 0 else {
      throw TraceError(file: name, problem: .cannot("seek in it", reason: lastErrorText()))
    }
  }

  /// A copy of unread bytes, for the slow paths.
  func bytes(_ range: Range<Int>) -> [UInt8] {
    unsafe Array(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
  }

  /// The index of the next line feed at or after `from`.
  func lineFeed(from: Int) -> Int? {
    guard from < end, let hit = unsafe memchr(base + from, 10, end - from) else { return nil }
    return unsafe UnsafeRawPointer(hit) - UnsafeRawPointer(base)
  }
}

/// `fallocate(2)`, which Swift's C headers show only to GNU sources.
@_silgen_name("fallocate")
private func hostFallocate(_ descriptor: Int32, _ mode: Int32, _ offset: off_t, _ length: off_t) -> Int32

/// The text of the current `errno`.
func lastErrorText() -> String { unsafe String(cString: strerror(errno)) }

extension InputFile {
  /// The checksum of unread bytes; the same as `Checksum.of` over a copy of them.
  func checksum(_ range: Range<Int>, seed: UInt64) -> UInt64 {
    var sum = Checksum.Mixer(state: seed)
    var index = range.lowerBound
    while index + 8 <= range.upperBound {
      sum.add(unsafe UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self).littleEndian)
      index += 8
    }
    var word: UInt64 = 0
    for rest in index..<range.upperBound { word |= unsafe UInt64(base[rest]) &<< UInt64(8 * (rest - index)) }
    sum.add(word)
    sum.add(UInt64(range.count))
    return sum.state
  }
}
