// SPDX-License-Identifier: MIT
internal import Glibc

// SAFETY of this file: ranges lie inside the arena (checked), and contents frames are never table frames.
extension PhysicalMemory {
  @inlinable
  func pointer(_ address: PhysicalAddress, bytes count: UInt64) -> UnsafeMutableRawPointer {
    precondition(count <= bytes && address.raw <= bytes &- count, "contents outside simulated memory")
    return unsafe base + Int(truncatingIfNeeded: address.raw)
  }

  /// Fills `count` bytes from `address` with zero.
  ///
  /// Never inlined: who counts instructions leaves work on contents out by its name.
  @inline(never) public func zero(_ address: PhysicalAddress, bytes count: UInt64) {
    unsafe _ = memset(pointer(address, bytes: count), 0, Int(count))
  }

  /// Whether `count` bytes from `address` are zero.
  public func isZero(_ address: PhysicalAddress, bytes count: UInt64) -> Bool {
    // The first byte is zero, and every other one equals the one before it.
    let bytes = unsafe pointer(address, bytes: count)
    return unsafe count == 0
      || bytes.load(as: UInt8.self) == 0 && memcmp(bytes, bytes + 1, Int(count) - 1) == 0
  }

  /// Compares `count` bytes of two places, first byte first.
  /// - Returns: negative, zero or positive, as `first` comes before, equals or comes behind `second`.
  public func order(of first: PhysicalAddress, _ second: PhysicalAddress, bytes count: UInt64) -> Int {
    unsafe Int(memcmp(pointer(first, bytes: count), pointer(second, bytes: count), Int(count)))
  }

  /// Copies `count` bytes between ranges that do not overlap. Never inlined, as `zero`.
  @inline(never) public func copy(
    from source: PhysicalAddress, to target: PhysicalAddress, bytes count: UInt64
  ) {
    unsafe _ = memcpy(pointer(target, bytes: count), pointer(source, bytes: count), Int(count))
  }

  /// Reads one byte of page contents.
  @inlinable public func byte(at address: PhysicalAddress) -> UInt8 {
    unsafe pointer(address, bytes: 1).load(as: UInt8.self)
  }

  /// Writes one byte of page contents.
  @inlinable public func setByte(_ value: UInt8, at address: PhysicalAddress) {
    unsafe pointer(address, bytes: 1).storeBytes(of: value, as: UInt8.self)
  }

  /// Writes eight bytes of page contents at any alignment.
  @inlinable public func setContents(_ value: UInt64, at address: PhysicalAddress) {
    unsafe pointer(address, bytes: 8).storeBytes(of: value, as: UInt64.self)
  }

  /// Reads eight bytes of page contents at any alignment.
  @inlinable public func contents(at address: PhysicalAddress) -> UInt64 {
    unsafe pointer(address, bytes: 8).loadUnaligned(as: UInt64.self)
  }

  /// A 64-bit digest of `count` bytes of page contents; equal contents have equal digests.
  ///
  /// Multiply-and-fold over eight-byte words (FNV-1a's prime); not cryptographic.
  public func digest(of address: PhysicalAddress, bytes count: UInt64) -> UInt64 {
    let start = unsafe pointer(address, bytes: count)
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for offset in stride(from: 0, to: Int(count), by: 8) {
      let word = unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      hash = (hash ^ word) &* 0x100_0000_01b3
    }
    return hash
  }

  /// Gives the host its memory back and leaves zeroes. For whole frames in bulk.
  public func discard(_ address: PhysicalAddress, bytes count: UInt64) {
    unsafe _ = madvise(pointer(address, bytes: count), Int(count), MADV_DONTNEED)
  }
}
