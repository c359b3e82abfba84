// SPDX-License-Identifier: MIT

/// The numbers of the compact format; `Docs/TraceFormat.md` describes it.
enum EmtraceFormat {
  static let magic: [UInt8] = [0x89, 0x45, 0x4D, 0x54, 0x52, 0x41, 0x43, 0x45]
  static let version: UInt32 = 1
  /// Flag: one process in its own order, not a run in scheduled order. Only recordings in progress have it.
  static let processStream: UInt32 = 1
  static let headerSize = 32
  /// Marks a block of records, in little-endian order `EMTB`.
  static let recordBlock: UInt32 = 0x4254_4D45
  /// Marks the last block, `EMTE`.
  static let endBlock: UInt32 = 0x4554_4D45
  /// A block is closed when its payload reaches this.
  static let targetPayload = 1 << 16
  /// No payload is larger.
  static let maximumPayload = 1 << 19
  /// No event takes more bytes.
  static let maximumEvent = 1 << 18

  /// Kinds of events in a payload.
  enum Tag: UInt8 {
    case endOfBlock = 0
    case run, start, fork, systemCall, refused, stackGrown, exec, exit
    case call = 16
    case signal, end, opening
  }
}

/// What a compact trace holds, as its last block says.
public struct TraceTotals: Equatable, Sendable {
  /// Instruction fetches.
  public var fetches: UInt64 = 0
  /// Data reads.
  public var loads: UInt64 = 0
  /// Data writes.
  public var stores: UInt64 = 0
  /// Events other than accesses.
  public var events: UInt64 = 0
  /// Processes with records of their own.
  public var processes: UInt64 = 0
  /// Children that no record describes.
  public var untracedChildren: UInt64 = 0

  /// Starts at zero.
  public init() {}

  /// All accesses.
  public var accesses: UInt64 { fetches &+ loads &+ stores }

  var words: [UInt64] { [fetches, loads, stores, events, processes, untracedChildren] }
  static let byteCount = 48

  init(words: [UInt64]) {
    (fetches, loads, stores) = (words[0], words[1], words[2])
    (events, processes, untracedChildren) = (words[3], words[4], words[5])
  }
}

/// A 64-bit checksum: each step is a bijection of the state, so any change inside one word changes the
/// result.
enum Checksum {
  static func of(_ bytes: some Sequence<UInt8>, seed: UInt64 = 0x6A09_E667_F3BC_C908) -> UInt64 {
    var sum = Mixer(state: seed)
    var word: UInt64 = 0
    var count: UInt64 = 0
    for byte in bytes {
      word |= UInt64(byte) &<< (8 &* (count & 7))
      count &+= 1
      if count & 7 == 0 {
        sum.add(word)
        word = 0
      }
    }
    sum.add(word)
    sum.add(count)
    return sum.state
  }

  struct Mixer {
    var state: UInt64
    mutating func add(_ word: UInt64) {
      let mixed = (state ^ word) &* 0x9E37_79B9_7F4A_7C15
      state = mixed &<< 29 | mixed &>> 35
    }
  }
}

extension Array where Element == UInt8 {
  mutating func append32(_ value: UInt32) {
    for shift in 0..<4 { append(UInt8(truncatingIfNeeded: value &>> (8 * shift))) }
  }
  mutating func append64(_ value: UInt64) {
    for shift in 0..<8 { append(UInt8(truncatingIfNeeded: value &>> (8 * shift))) }
  }
  mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest > 127 {
      append(UInt8(truncatingIfNeeded: rest) | 128)
      rest &>>= 7
    }
    append(UInt8(rest))
  }
}
