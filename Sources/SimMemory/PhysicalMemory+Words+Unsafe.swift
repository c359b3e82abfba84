// SPDX-License-Identifier: MIT
public import Synchronization

// SAFETY of this file: `address` lies inside the arena (debug builds check), is a multiple of 8, and a word
// that is ever used as an atomic is never reached by a plain load or store at the same time.
extension PhysicalMemory {
  @inlinable @inline(__always)
  func word(_ address: PhysicalAddress) -> UnsafeMutablePointer<Atomic<UInt64>> {
    assert(address.raw &+ 8 <= bytes && address.raw & 7 == 0, "table word outside simulated memory")
    return unsafe (base + Int(truncatingIfNeeded: address.raw)).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// Reads the 64-bit word at `address` without ordering.
  @inlinable @inline(__always) public func loadRelaxed(_ address: PhysicalAddress) -> UInt64 {
    let value = unsafe word(address).pointee.load(ordering: .relaxed)
    note(.load, address, value)
    return value
  }

  /// Reads the word at `address`; what was written before its release store is visible afterwards.
  @inlinable @inline(__always) public func loadAcquire(_ address: PhysicalAddress) -> UInt64 {
    let value = unsafe word(address).pointee.load(ordering: .acquiring)
    note(.load, address, value)
    return value
  }

  /// Writes the word at `address` without ordering.
  @inlinable @inline(__always) public func storeRelaxed(_ value: UInt64, at address: PhysicalAddress) {
    unsafe word(address).pointee.store(value, ordering: .relaxed)
    note(.store, address, value)
  }

  /// Writes the word at `address` after everything written before it.
  @inlinable @inline(__always) public func storeRelease(_ value: UInt64, at address: PhysicalAddress) {
    unsafe word(address).pointee.store(value, ordering: .releasing)
    note(.store, address, value)
  }

  /// Swaps the word at `address` for `value` in one step.
  /// - Returns: the word that was there.
  @inlinable @inline(__always)
  public func exchange(_ value: UInt64, at address: PhysicalAddress) -> UInt64 {
    let old = unsafe word(address).pointee.exchange(value, ordering: .acquiringAndReleasing)
    note(.store, address, value)
    return old
  }

  /// Replaces the word at `address` by `value` if it still is `expected`, in one step.
  /// - Returns: the word that was there; equal to `expected` on success.
  @inlinable @inline(__always)
  public func compareExchange(_ expected: UInt64, _ value: UInt64, at address: PhysicalAddress) -> UInt64 {
    let (done, old) = unsafe word(address).pointee.compareExchange(
      expected: expected, desired: value, ordering: .acquiringAndReleasing)
    if done { note(.store, address, value) }
    return old
  }

  /// Adds `value` to the word at `address` in one step, wrapping around.
  /// - Returns: the word that was there.
  @inlinable @inline(__always)
  public func fetchAdd(_ value: UInt64, at address: PhysicalAddress) -> UInt64 {
    let old = unsafe word(address).pointee.wrappingAdd(value, ordering: .acquiringAndReleasing).oldValue
    note(.store, address, old &+ value)
    return old
  }

  /// Sets `bits` in the word at `address` in one step.
  /// - Returns: the word that was there.
  @inlinable @inline(__always)
  public func fetchOr(_ bits: UInt64, at address: PhysicalAddress) -> UInt64 {
    let old = unsafe word(address).pointee.bitwiseOr(bits, ordering: .acquiringAndReleasing).oldValue
    note(.store, address, old | bits)
    return old
  }

  /// Keeps only `bits` of the word at `address` in one step.
  /// - Returns: the word that was there.
  @inlinable @inline(__always)
  public func fetchAnd(_ bits: UInt64, at address: PhysicalAddress) -> UInt64 {
    let old = unsafe word(address).pointee.bitwiseAnd(bits, ordering: .acquiringAndReleasing).oldValue
    note(.store, address, old & bits)
    return old
  }

  /// Tells the access log, in debug builds only: release builds compile to nothing.
  @inlinable @inline(__always)
  func note(_ kind: MemoryAccess.Kind, _ address: PhysicalAddress, _ value: UInt64) {
    #if DEBUG
      log.record(agent, kind, address, value)
    #endif
  }
}
