// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

/// What a write to Linux's `/proc/PID/clear_refs` clears.
public enum ClearedReferences: UInt64, Sendable {
  /// Accessed bits of all pages.
  case all = 1
  /// Accessed bits of pages in areas without a file.
  case anonymous = 2
  /// Accessed bits of pages in areas with a file.
  case mapped = 3
  /// Soft-dirty bits.
  case softDirty = 4
  /// The peak of resident pages: it is what is resident now.
  case peak = 5
}

extension VMAFlags {
  /// Mapped since soft-dirty bits were cleared, so that all its pages count as written.
  @inlinable public static var softDirty: Self { Self(rawValue: 1 << 29) }
}

extension Kernel {
  /// Clears bits that say what was used, or written, since the last time.
  ///
  /// Pages that are not soft-dirty cannot be written, so that the next store faults and sets the bit.
  @inlinable public func clearReferences(_ space: Space<Database>, _ kind: ClearedReferences) {
    let mark = meter.enter(.systemCall)
    defer { meter.leave(mark) }
    if kind == .peak { return resetPeak(space) }
    if kind == .softDirty { trackSoftDirty(space) }
    for area in space.layout.areas.areas {
      if area.flags.contains(.hugeTLB) { continue }
      if kind == .anonymous, !area.isAnonymous { continue }
      if kind == .mapped, area.isAnonymous { continue }
      clear(space, area.range, softDirty: kind == .softDirty)
    }
  }

  @usableFromInline func resetPeak(_ space: Space<Database>) { space.peakResidentPages = space.residentPages }

  @usableFromInline func trackSoftDirty(_ space: Space<Database>) {
    space.layout.tracksSoftDirty = true
    space.layout.areas.update(VirtualRange(VirtualAddress(0), userEnd)) { $0.flags.remove(.softDirty) }
  }

  @inlinable func clear(_ space: Space<Database>, _ range: VirtualRange, softDirty: Bool) {
    let database = space.database
    var lock = database.rangeLock(over: range)
    database.lockForWriting(&lock)
    var iterator = database.makeIterator(over: range)
    while let object = database.nextMapped(&iterator) {
      do {
        if softDirty {
          guard object.isSoftDirty || object.isPresent && object.isWritable else { continue }
          let change = try database.updateAttributes(at: object.start) { object in
            object.isSoftDirty = false
            if object.isPresent, !Mutation.softDirtyStaysWritable.isPlanted { object.isWritable = false }
          }
          database.settle(change.takeObligation())
        } else if object.isPresent {
          if try database.testAndClearAccessed(at: object.start) { forgetUse(object.frame) }
        }
      } catch { preconditionFailure("a page that was just seen is gone") }
    }
    database.endIteration(iterator)
    database.unlock(&lock)
    database.putLock(lock)
  }

  @usableFromInline func forgetUse(_ frame: FrameNumber) {
    platform.frames.table.unmark(.referenced, frame)
  }

  /// A store was made possible in a space that wants to know. Runs under the page's write lock.
  @inlinable func noteStore(_ space: Space<Database>, _ address: VirtualAddress) {
    let object = space.database.find(address)
    guard object.isPresent, !object.isSoftDirty else { return }
    do {
      let change = try space.database.updateAttributes(at: object.start) { $0.isSoftDirty = true }
      space.database.settle(change.takeObligation())
    } catch { preconditionFailure("a page that was just mapped is gone") }
  }
}
