// SPDX-License-Identifier: MIT
public import SimMemory
internal import VMM

// Loads, stores, fetches.
extension Program {
  /// One access, however it ends.
  @discardableResult
  public func access(_ kind: AccessKind, _ address: UInt64, _ value: UInt8 = 0) -> Access {
    let got = host.access(pid, on: cpu, kind, address, value)
    if case .byte = got { note("\(kind)", address, "") } else { note("\(kind)", address, ": \(got.text)") }
    return got
  }

  /// A store that must succeed.
  public func store(_ address: UInt64, _ byte: UInt8) {
    let got = access(.store, address, byte)
    if case .byte = got { return }
    scenario.fail("a store at \(address.text) succeeds", got.text)
  }

  /// Stores that must succeed.
  public func store(_ address: UInt64, _ bytes: [UInt8]) {
    for (index, byte) in bytes.enumerated() { store(address + UInt64(index), byte) }
  }

  /// Stores `text`.
  public func store(_ address: UInt64, _ text: String) { store(address, Array(text.utf8)) }

  /// A load that must succeed; 0 when it does not.
  public func load(_ address: UInt64) -> UInt8 {
    let got = access(.load, address)
    if case .byte(let value) = got { return value }
    scenario.fail("a load at \(address.text) succeeds", got.text)
    return 0
  }

  /// Stores a different byte into each of `pages` pages, at a different place of each.
  public func fill(_ start: UInt64, pages: UInt64, seed: UInt64 = 1) {
    for number in 0..<pages { store(place(start, number), Program.mark(number, seed)) }
  }

  /// The bytes that `fill` stored must be there.
  public func expectFilled(_ start: UInt64, pages: UInt64, seed: UInt64 = 1, from first: UInt64 = 0) {
    for number in first..<(first + pages) {
      expectLoad(place(start, number - first, number), Program.mark(number, seed))
    }
  }

  private func place(_ start: UInt64, _ index: UInt64, _ number: UInt64? = nil) -> UInt64 {
    start + index * page + (number ?? index) * 13 % page
  }

  private static func mark(_ number: UInt64, _ seed: UInt64) -> UInt8 {
    UInt8(truncatingIfNeeded: number &+ seed) | 1
  }

  /// Stores a little-endian number of `bytes` bytes.
  public func storeWord(_ address: UInt64, _ value: UInt64, bytes: UInt64 = 8) {
    for index in 0..<bytes { store(address + index, UInt8(truncatingIfNeeded: value >> (index * 8))) }
  }

  /// Loads a little-endian number of `bytes` bytes.
  public func loadWord(_ address: UInt64, bytes: UInt64 = 8) -> UInt64 {
    (0..<bytes).reduce(0) { $0 | UInt64(load(address + $1)) << ($1 * 8) }
  }

  /// Room for structures that calls read and write: 16 pages at a fixed place, mapped when first used, one for each
  /// address space.
  public func scratch(_ offset: UInt64 = 0) -> UInt64 {
    let start: UInt64 = 0x10_0000_0000
    if area(start) == nil {
      expectSuccess("mapping room for structures") { try map(16, at: start) }
    }
    return start + offset
  }

  /// Puts words into the room for structures.
  /// - Returns: their address.
  @discardableResult
  public func put(_ words: [UInt64], at offset: UInt64 = 0) -> UInt64 {
    for (index, word) in words.enumerated() { storeWord(scratch(offset) + UInt64(index) * 8, word) }
    return scratch(offset)
  }

  /// A vector of `struct iovec` in the room for structures.
  /// - Returns: its address.
  public func vector(_ pieces: [(start: UInt64, bytes: UInt64)], at offset: UInt64 = 0) -> UInt64 {
    put(pieces.flatMap { [$0.start, $0.bytes] }, at: offset)
  }
}
