// SPDX-License-Identifier: MIT

/// A cursor over the bytes of one line. Every method either consumes what it recognises or leaves the
/// cursor alone.
struct LineScanner {
  let bytes: [UInt8]
  var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position >= bytes.count }
  var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// Whether `text` starts here, or `distance` bytes further on.
  func has(_ text: StaticString, ahead distance: Int = 0) -> Bool {
    let start = position + distance
    guard start + text.utf8CodeUnitCount <= bytes.count else { return false }
    return bytes[start...].starts(with: text.description.utf8)
  }

  mutating func skip(_ text: StaticString) -> Bool {
    guard has(text) else { return false }
    position += text.utf8CodeUnitCount
    return true
  }

  /// The decimal digit at `index`, if one is there.
  func digit(at index: Int) -> UInt64? {
    index < bytes.count ? Self.digit(bytes[index]).flatMap { $0 < 10 ? $0 : nil } : nil
  }

  mutating func skipSpaces() {
    while let byte = current, byte == 0x20 || byte == 0x09 { position += 1 }
  }

  /// Moves behind the next `text`; false, and no move, when there is none.
  mutating func skip(past text: StaticString) -> Bool {
    var distance = 0
    while position + distance < bytes.count {
      if has(text, ahead: distance) {
        position += distance + text.utf8CodeUnitCount
        return true
      }
      distance += 1
    }
    return false
  }

  mutating func decimal() -> UInt64? { number(radix: 10) }
  mutating func hexadecimal() -> UInt64? { number(radix: 16) }

  /// Digits in `radix`; nil, and no move, without a digit or with more than 64 bits.
  private mutating func number(radix: UInt64) -> UInt64? {
    var value: UInt64 = 0
    var index = position
    while index < bytes.count, let digit = Self.digit(bytes[index]), digit < radix {
      let (high, low) = value.multipliedFullWidth(by: radix)
      let (sum, carry) = low.addingReportingOverflow(digit)
      guard high == 0, !carry else { return nil }
      value = sum
      index += 1
    }
    guard index > position else { return nil }
    position = index
    return value
  }

  static func digit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case 0x30...0x39: UInt64(byte - 0x30)
    case 0x61...0x66: UInt64(byte - 0x61 + 10)
    case 0x41...0x46: UInt64(byte - 0x41 + 10)
    default: nil
    }
  }

  /// The rest as text for a message: printable, at most 60 characters.
  func excerpt(from start: Int = 0) -> String {
    let shown = bytes[min(start, bytes.count)...].prefix(60).map { (0x20..<0x7F).contains($0) ? $0 : 0x3F }
    return String(decoding: shown, as: UTF8.self)
  }
}
