// SPDX-License-Identifier: MIT
public import Synchronization

/// A handle to the flat array of per-frame records.
///
/// SAFETY: frame numbers come from the allocator, so they are inside the array (debug builds check); records
/// are zero-filled host memory, which is a valid `FrameInfo`.
@safe @frozen public struct FrameTable: @unchecked Sendable, BitwiseCopyable {
  @usableFromInline let records: UnsafeMutablePointer<FrameInfo>
  @usableFromInline let count: UInt64

  @usableFromInline init(records: UnsafeMutablePointer<FrameInfo>, count: UInt64) {
    unsafe self.records = unsafe records
    self.count = count
  }

  @inlinable @inline(__always)
  func record(_ frame: FrameNumber) -> UnsafeMutablePointer<FrameInfo> {
    assert(frame.raw < count, "no such frame")
    return unsafe records + Int(truncatingIfNeeded: frame.raw)
  }

  /// How many hold the frame. A frame fresh from the allocator has none.
  @inlinable public func references(_ frame: FrameNumber) -> UInt32 {
    unsafe record(frame).pointee.references.load(ordering: .relaxed)
  }

  /// One more holder.
  @inlinable public func retain(_ frame: FrameNumber) {
    unsafe _ = record(frame).pointee.references.wrappingAdd(1, ordering: .relaxed)
  }

  /// One holder less.
  /// - Returns: how many are left; the caller who sees zero frees the frame.
  @inlinable public func release(_ frame: FrameNumber) -> UInt32 {
    let (old, new) = unsafe record(frame).pointee.references.wrappingSubtract(
      1, ordering: .acquiringAndReleasing)
    precondition(old != 0, "frame released more often than retained")
    return new
  }

  /// How many table entries map the frame.
  @inlinable public func mappings(_ frame: FrameNumber) -> UInt32 {
    unsafe record(frame).pointee.mappings.load(ordering: .relaxed)
  }

  /// One more table entry maps the frame.
  @inlinable public func addMapping(_ frame: FrameNumber) {
    unsafe _ = record(frame).pointee.mappings.wrappingAdd(1, ordering: .relaxed)
  }

  /// `times` more table entries map the frame.
  @inlinable public func addMappings(_ times: UInt32, _ frame: FrameNumber) {
    unsafe _ = record(frame).pointee.mappings.wrappingAdd(times, ordering: .relaxed)
  }

  /// One table entry less maps the frame.
  /// - Returns: how many are left.
  @inlinable public func dropMapping(_ frame: FrameNumber) -> UInt32 {
    let (old, new) = unsafe record(frame).pointee.mappings.wrappingSubtract(
      1, ordering: .acquiringAndReleasing)
    precondition(old != 0, "frame unmapped more often than mapped")
    return new
  }

  /// Sixteen bits for the frame's owner; zero when fresh.
  @inlinable public func flags(_ frame: FrameNumber) -> UInt16 {
    unsafe record(frame).pointee.flags.load(ordering: .relaxed)
  }

  /// Replaces the owner's bits.
  @inlinable public func setFlags(_ flags: UInt16, _ frame: FrameNumber) {
    unsafe record(frame).pointee.flags.store(flags, ordering: .relaxed)
  }

  /// A word for the frame's owner; zero when fresh.
  @inlinable public func word(_ frame: FrameNumber) -> UInt64 {
    unsafe record(frame).pointee.word.load(ordering: .relaxed)
  }

  /// Replaces the owner's word.
  @inlinable public func setWord(_ word: UInt64, _ frame: FrameNumber) {
    unsafe record(frame).pointee.word.store(word, ordering: .relaxed)
  }

  /// Adds to the owner's word in one step; the sum wraps, so that a negative amount can be added as its complement.
  @inlinable public func addToWord(_ amount: UInt64, _ frame: FrameNumber) {
    unsafe _ = record(frame).pointee.word.wrappingAdd(amount, ordering: .relaxed)
  }

  /// The owner's word, used as a lock: for frames that hold tables.
  @inlinable public func lock(_ frame: FrameNumber) -> LockWord {
    // The record never moves and the word is an `Atomic`, so its address is the lock's address.
    let offset = MemoryLayout<FrameInfo>.stride - MemoryLayout<UInt64>.size
    let address = unsafe UnsafeMutableRawPointer(record(frame)) + offset
    return unsafe LockWord(address.assumingMemoryBound(to: Atomic<UInt64>.self))
  }

  /// The frame that follows in the owner's list; zero ends it. Free for the owner's use while allocated.
  @inlinable public func next(_ frame: FrameNumber) -> FrameNumber {
    FrameNumber(UInt64(unsafe record(frame).pointee.next))
  }

  /// Links `frame` to its successor in the owner's list.
  @inlinable public func setNext(_ next: FrameNumber, of frame: FrameNumber) {
    unsafe record(frame).pointee.next = UInt32(truncatingIfNeeded: next.raw)
  }

  /// The frame before in the owner's list; zero at its start. Free for the owner's use while allocated.
  @inlinable public func previous(_ frame: FrameNumber) -> FrameNumber {
    FrameNumber(UInt64(unsafe record(frame).pointee.previous))
  }

  /// Links `frame` to its predecessor in the owner's list.
  @inlinable public func setPrevious(_ previous: FrameNumber, of frame: FrameNumber) {
    unsafe record(frame).pointee.previous = UInt32(truncatingIfNeeded: previous.raw)
  }
}
