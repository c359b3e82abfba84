// SPDX-License-Identifier: MIT
import EMTCore
import EntryFormats
import SimMemory
import X86Object

/// Says that nothing is owed when a page is replaced.
enum LosesFlush: Flaw {
  static func update(
    _ base: MinimalDatabase, _ object: X86Object
  ) throws(TranslationError) -> Change<X86Object> {
    let change = try base.update(object)
    let old = change.old
    change.takeObligation().discharge()
    return Change(old: old, obligation: .none)
  }
}

/// Reports voids twice as large as they are.
enum OverstatesVoids: Flaw {
  static func find(_ base: MinimalDatabase, _ address: VirtualAddress) -> X86Object {
    let object = base.find(address)
    if object.isMapped || object.size.shift > 38 { return object }
    let size = PageSize(shift: object.size.shift + 1)
    return X86Object(unmappedAt: address.aligned(down: size), size: size)
  }
}

/// Reports a removal and leaves the entry where it is.
enum ForgetsRemoval: Flaw {
  static func remove(
    _ base: MinimalDatabase, _ object: X86Object
  ) throws(TranslationError) -> Change<X86Object> {
    let change = try base.remove(object)
    let old = change.old
    base.settle(try base.update(old).takeObligation())
    return change
  }
}

/// Throws a huge page out when a small one is inserted into it.
enum IgnoresConflicts: Flaw {
  static func update(
    _ base: MinimalDatabase, _ object: X86Object
  ) throws(TranslationError) -> Change<X86Object> {
    let there = base.find(object.start)
    if there.isMapped, there.size > object.size { base.settle(try base.remove(there).takeObligation()) }
    return try base.update(object)
  }
}

/// Stores an entry without its accessed and dirty bits.
enum DropsHardwareBits: Flaw {
  static func update(
    _ base: MinimalDatabase, _ object: X86Object
  ) throws(TranslationError) -> Change<X86Object> {
    var stored = object
    if stored.isPresent {
      stored.isAccessed = false
      stored.isDirty = false
    }
    return try base.update(stored)
  }
}

/// Counts one frame too many.
enum Miscounts: Flaw {
  static func footprint(_ base: MinimalDatabase) -> TableFootprint {
    TableFootprint(nodes: base.footprint.nodes + 4096)
  }
}

/// Keeps the root of a user's table.
enum Leaks: Flaw {
  static func release(_ base: MinimalDatabase) {
    var didClear = false
    _ = base.context.platform.frames.allocateZeroed(didClear: &didClear)
    base.release()
  }
}

/// Looks at the start of a range only.
enum LooksOnce: Flaw {
  static func isVoid(_ base: MinimalDatabase, _ range: VirtualRange) -> Bool {
    !base.find(range.start).isMapped
  }
}

/// Moves a cursor on by the page's size instead of to the page's end.
enum Oversteps: Flaw {
  static func cursor(behind object: X86Object, at position: VirtualAddress) -> VirtualAddress {
    position.advanced(by: object.size.bytes)
  }
}

/// Destroys what a CPU runs on.
enum PullsTheRug: Flaw { static var ignoresRunningCPUs: Bool { true } }

/// Does not tell CPUs that are away.
enum ForgetsAbsentCPUs: Flaw { static var marksAbsentCPUs: Bool { false } }
