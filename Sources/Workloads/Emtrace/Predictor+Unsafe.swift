// SPDX-License-Identifier: MIT
import SimMemory

/// What followed last time at one place of the program: behind an instruction's fetch, or behind its n-th
/// data access.
@usableFromInline struct PredictorSlot {
  /// The address that followed.
  @usableFromInline var last: UInt64 = 0
  /// The address that followed before it changed to `last` (fetches only).
  @usableFromInline var other: UInt64 = 0
  /// By how much the data address moved last time.
  @usableFromInline var stride: Int32 = 0
  /// How far the data address was from the data access before it.
  @usableFromInline var relative: Int32 = 0
  /// The size of the data access.
  @usableFromInline var size: UInt16 = 0
  /// The size of the instruction fetched here.
  @usableFromInline var own: UInt16 = 0
  /// What followed: 0 fetch, 1 load, 2 store.
  @usableFromInline var kind: UInt8 = 0
  /// Data: 0 predicts with `stride`, 1 with `relative`. Fetch: 1 predicts the return address.
  @usableFromInline var mode: UInt8 = 0

  init() {}
}

/// The memory behind a predictor.
@safe @usableFromInline final class PredictorTable {
  @usableFromInline static let count = 1 << 16
  let slots: UnsafeMutablePointer<PredictorSlot>
  let returns: UnsafeMutablePointer<UInt64>

  init() {
    unsafe slots = .allocate(capacity: Self.count)
    unsafe slots.initialize(repeating: PredictorSlot(), count: Self.count)
    unsafe returns = .allocate(capacity: 64)
    unsafe returns.initialize(repeating: 0, count: 64)
  }

  deinit {
    unsafe slots.deallocate()
    unsafe returns.deallocate()
  }
}

/// Guesses the next access from the ones before. Writer and reader run the same predictor over the same
/// accesses, so that only wrong guesses need bytes. Valid as long as its table lives.
@safe @usableFromInline struct Predictor {
  @usableFromInline let slots: UnsafeMutablePointer<PredictorSlot>
  @usableFromInline let returns: UnsafeMutablePointer<UInt64>
  /// The place reached: index of a slot.
  @usableFromInline var current = 0
  /// Where the instruction running ends.
  @usableFromInline var sequential: UInt64 = 0
  /// The latest data address.
  @usableFromInline var lastData: UInt64 = 0
  /// Whether the latest access was a store of 8 bytes, as a call makes.
  @usableFromInline var mayCall = false
  @usableFromInline var depth = 0

  init(_ table: PredictorTable) {
    unsafe slots = table.slots
    unsafe returns = table.returns
  }

  /// A guess. `size` 0: none possible.
  @usableFromInline struct Guess {
    @usableFromInline var kind: UInt8
    @usableFromInline var size: UInt16
    @usableFromInline var address: UInt64
    @inlinable init(kind: UInt8, size: UInt16, address: UInt64) {
      self.kind = kind
      self.size = size
      self.address = address
    }
  }

  @inlinable @inline(__always) static func place(_ address: UInt64) -> Int {
    Int(truncatingIfNeeded: (address &* 0x9E37_79B9_7F4A_7C15) &>> 48)
  }

  @inlinable @inline(__always) func ownSize(_ address: UInt64) -> UInt16 {
    unsafe slots[Self.place(address)].own
  }
  @inlinable @inline(__always) var returnAddress: UInt64 { unsafe returns[depth] }

  /// What comes next, by guess.
  @inlinable @inline(__always) func guess() -> Guess {
    let slot = unsafe slots + current
    let kind = unsafe slot.pointee.kind
    if kind == 0 {
      let address = unsafe slot.pointee.mode == 0 ? slot.pointee.last : returns[depth]
      return Guess(kind: 0, size: ownSize(address), address: address)
    }
    let address =
      unsafe slot.pointee.mode == 0
      ? slot.pointee.last &+ UInt64(bitPattern: Int64(slot.pointee.stride))
      : lastData &+ UInt64(bitPattern: Int64(slot.pointee.relative))
    return unsafe Guess(kind: kind, size: slot.pointee.size, address: address)
  }

  /// Learns that a fetch followed.
  @inlinable @inline(__always) mutating func fetched(_ address: UInt64, size: UInt16) {
    let slot = unsafe slots + current
    if address != sequential {
      if unsafe returns[depth] == address {
        unsafe slot.pointee.mode = 1
        depth = (depth &- 1) & 63
      } else {
        unsafe slot.pointee.mode = 0
        if mayCall {
          depth = (depth &+ 1) & 63
          unsafe returns[depth] = sequential
        }
      }
    } else {
      unsafe slot.pointee.mode = 0
    }
    if unsafe slot.pointee.last != address {
      unsafe slot.pointee.other = slot.pointee.last
      unsafe slot.pointee.last = address
    }
    unsafe slot.pointee.kind = 0
    current = Self.place(address)
    unsafe slots[current].own = size
    sequential = address &+ UInt64(size)
    mayCall = false
  }

  /// Learns that a data access followed.
  @inlinable @inline(__always) mutating func touched(_ kind: UInt8, _ address: UInt64, size: UInt16) {
    let slot = unsafe slots + current
    let moved = Int64(bitPattern: address &- (unsafe slot.pointee.last))
    let apart = Int64(bitPattern: address &- lastData)
    let stride = Int32(truncatingIfNeeded: moved)
    let relative = Int32(truncatingIfNeeded: apart)
    if unsafe stride == slot.pointee.stride && slot.pointee.kind == kind {
      unsafe slot.pointee.mode = 0
    } else if unsafe relative == slot.pointee.relative {
      unsafe slot.pointee.mode = 1
    }
    unsafe slot.pointee.stride = stride
    unsafe slot.pointee.relative = relative
    unsafe slot.pointee.last = address
    unsafe slot.pointee.kind = kind
    unsafe slot.pointee.size = size
    lastData = address
    mayCall = kind == 2 && size == 8
    current = (current &+ 1) & (PredictorTable.count &- 1)
  }
}

extension Predictor {
  /// The address that followed here before the one that followed last.
  @inlinable @inline(__always) var otherSuccessor: UInt64 { unsafe slots[current].other }
  /// The address that followed here last.
  @inlinable @inline(__always) var lastHere: UInt64 { unsafe slots[current].last }
  /// What followed here last and its size.
  @inlinable @inline(__always) var shapeHere: (kind: UInt8, size: UInt16) {
    unsafe (slots[current].kind, slots[current].size)
  }
}
