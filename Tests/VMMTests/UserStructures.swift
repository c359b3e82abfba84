// SPDX-License-Identifier: MIT
import EMTCore
import Testing
import VMM

// Structures in user memory, as system calls read and write them.
extension Computer {
  /// Stores a little-endian number.
  func storeWord(_ address: UInt64, _ value: UInt64, bytes: UInt64 = 8, in other: Proc? = nil) {
    for index in 0..<bytes {
      let byte = UInt8(truncatingIfNeeded: value >> (index * 8))
      #expect(store(address + index, byte, in: other) == .byte(byte))
    }
  }

  /// Loads a little-endian number.
  func loadWord(_ address: UInt64, bytes: UInt64 = 8, in other: Proc? = nil) -> UInt64? {
    var value: UInt64 = 0
    for index in 0..<bytes {
      guard case .byte(let byte) = load(address + index, in: other) else { return nil }
      value |= UInt64(byte) << (index * 8)
    }
    return value
  }

  /// Stores a vector of `struct iovec`.
  /// - Returns: its arguments: address and count.
  func vector(_ pieces: [(start: UInt64, bytes: UInt64)], at address: UInt64, in other: Proc? = nil)
    -> [UInt64]
  {
    for (index, piece) in pieces.enumerated() {
      storeWord(address + UInt64(index) * 16, piece.start, in: other)
      storeWord(address + UInt64(index) * 16 + 8, piece.bytes, in: other)
    }
    return [address, UInt64(pieces.count)]
  }
}

extension Computer {
  /// A call that does its work and is refused all the same.
  func call(_ number: SystemCallNumber, _ arguments: [UInt64], expecting errno: Errno) throws {
    #expect(refusal(number, arguments) == errno)
  }

  /// What something that is not a call is refused with.
  func refusal<Result>(_ body: () throws -> Result) -> Errno? {
    do { _ = try body() } catch { return error as? Errno }
    return nil
  }
}
