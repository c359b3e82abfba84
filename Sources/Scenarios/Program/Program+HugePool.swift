// SPDX-License-Identifier: MIT
internal import SimMemory
public import VMM

// Pooled huge pages. Counts are huge pages of 2 MiB, unlike elsewhere.
extension Program {
  /// `mmap` of pooled huge pages: of `file` from page `first` on, else MAP_HUGETLB.
  public func mapHuge(
    _ pages: UInt64 = 1, _ sharing: Sharing = .private, file: Descriptor? = nil, at fixed: UInt64? = nil,
    near hint: UInt64 = 0, protection: Rights = [.read, .write], flags: MapFlags = [], from first: UInt64 = 0
  ) throws(Errno) -> UInt64 {
    try map(
      pages * 512, sharing, file: file, at: fixed, near: hint, protection: protection,
      flags: file == nil ? flags.union(.hugeTLB) : flags, offset: first * huge)
  }

  /// `munmap` of pooled huge pages.
  public func unmapHuge(_ address: UInt64, _ pages: UInt64 = 1) throws(Errno) {
    try unmap(address, pages: pages * 512)
  }

  /// `memfd_create(MFD_HUGETLB | MFD_ALLOW_SEALING)`: a file of pooled huge pages.
  public func hugeFile(pages: UInt64 = 0) throws(Errno) -> Descriptor {
    try memfd(size: pages * huge, flags: 6, name: "huge")
  }

  /// HugePages_Total, Free, Rsvd and Surp must be this.
  public func expectPool(
    _ total: UInt64, free: UInt64, reserved: UInt64 = 0, surplus: UInt64 = 0,
    when: @autoclosure () -> String = ""
  ) {
    expectPool(
      HugePageCounters(total: total, free: free, reserved: reserved, surplus: surplus), when: when())
  }

  /// The pool's counters must be this.
  public func expectPool(_ expected: HugePageCounters, when: @autoclosure () -> String = "") {
    guard let got = hugePool() else { return scenario.fail("there is a pool", "there is none") }
    guard got != expected else { return }
    let text = { (pool: HugePageCounters) in
      "total \(pool.total), free \(pool.free), reserved \(pool.reserved), surplus \(pool.surplus)"
    }
    scenario.fail("pool \(when()): \(text(expected))", text(got))
  }

  /// Stores bytes at both ends of each page, different for each page and seed.
  public func fillHuge(_ start: UInt64, _ pages: UInt64, seed: UInt8 = 1) {
    for number in 0..<pages {
      store(start + number * huge, seed &+ UInt8(number))
      store(start + (number + 1) * huge - 1, seed &+ UInt8(number) &+ 100)
    }
  }

  /// The bytes that `fillHuge` stored must be there, and zeroes between them.
  public func expectHuge(_ start: UInt64, _ pages: UInt64, seed: UInt8 = 1) {
    for number in 0..<pages {
      expectLoad(start + number * huge, seed &+ UInt8(number))
      expectLoad(start + number * huge + huge / 2, 0)
      expectLoad(start + (number + 1) * huge - 1, seed &+ UInt8(number) &+ 100)
    }
  }

  /// Zeroes at both ends and in the middle of each page.
  public func expectZeroHuge(_ start: UInt64, _ pages: UInt64 = 1) {
    for number in 0..<pages {
      for place in [0, huge / 2, huge - 1] { expectLoad(start + number * huge + place, 0) }
    }
  }
}
