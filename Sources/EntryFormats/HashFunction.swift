// SPDX-License-Identifier: MIT

/// The hash functions of hashed page tables, by name: pure functions that software and hardware share.
///
/// All 64 bits of a result are usable. A table of 2^n slots takes the low n bits, so that in a table of twice the
/// size a key lies at its old index or that index plus the old size.
@frozen public enum HashFunction: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// The finaliser of MurmurHash3 (A. Appleby, public domain): a bijection of 64 bits; two multiplications.
  case murmurFinaliser
  /// Multiplication by 2^64 / φ (D. Knuth, TAOCP vol. 3 §6.4), the good high bits folded down: one multiplication.
  case fibonacci
  /// CRC-64 of ECMA-182, as the ECPT papers' hardware has it, over the low five bytes of the key's product with
  /// 2^64 / φ; the remainder alone is linear.
  case crc64

  /// The hash of `key`. Schemes with several ways pass each way's number as `seed`.
  @inlinable @inline(__always) public func hash(_ key: UInt64, seed: UInt64 = 0) -> UInt64 {
    // Seed 0 changes nothing, and different seeds give unrelated functions.
    var mixed = key ^ (seed &* 0xD6E8_FEB8_6659_FD93)
    switch self {
    case .murmurFinaliser:
      mixed = (mixed ^ mixed &>> 33) &* 0xFF51_AFD7_ED55_8CCD
      mixed = (mixed ^ mixed &>> 33) &* 0xC4CE_B9FE_1A85_EC53
      return mixed ^ mixed &>> 33
    case .fibonacci:
      mixed = mixed &* 0x9E37_79B9_7F4A_7C15
      return mixed ^ mixed &>> 32
    case .crc64:
      // Bits of a remainder are sums of bits of the key. Of consecutive keys, a window of them may take only some of
      // its values: then a table with free slots has none for them. The product, odd and so reversible, breaks the sums.
      return HashFunction.crc64(mixed &* 0x9E37_79B9_7F4A_7C15)
    }
  }

  /// The remainder of 40 bits, most significant first. Linear: any two keys differ in the remainder of their difference.
  @usableFromInline @inline(never) static func crc64(_ key: UInt64) -> UInt64 {
    var remainder = key &<< 24
    for _ in 0..<40 {
      remainder = remainder &<< 1 ^ (remainder &>> 63 &* 0x42F0_E1EB_A9EA_3693)
    }
    return remainder
  }
}
