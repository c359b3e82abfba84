// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

// Which memory may be merged: areas by MADV_MERGEABLE, or whole processes by prctl.
extension Kernel {
  /// MADV_MERGEABLE. Areas that cannot be merged are passed by without an error, as on Linux.
  @usableFromInline func allowMerging(_ space: Space<Database>, _ area: VMA, _ part: VirtualRange) {
    guard canHoldMergedPages(area), !area.flags.contains(.mergeable) else { return }
    space.layout.mayMerge = true
    note(.mergeable, space, part)
  }

  /// MADV_UNMERGEABLE: merged pages of the part become the process's own.
  /// - Throws: `.eagain` when memory ran out; the part may be merged as before then.
  @inlinable
  func forbidMerging(_ space: Space<Database>, _ area: VMA, _ part: VirtualRange) throws(Errno) {
    guard area.flags.contains(.mergeable) else { return }
    do { try unmerge(space, part) } catch { throw .eagain }
    note(.unmergeable, space, part)
  }

  /// PR_SET_MEMORY_MERGE: all areas of the process that can be merged may be, now and later; or none.
  /// - Throws: `.enomem` when there was no memory to take merged pages apart; nothing is forbidden then.
  @inlinable func setMemoryMerge(_ space: Space<Database>, _ isOn: Bool) throws(Errno) {
    guard isOn != space.layout.mergesEverything else { return }
    if !isOn {
      for area in space.layout.areas.areas where area.flags.contains(.mergeable) {
        try unmerge(space, area.range)
      }
    }
    noteMemoryMerge(space, isOn)
  }

  @usableFromInline func noteMemoryMerge(_ space: Space<Database>, _ isOn: Bool) {
    space.layout.mergesEverything = isOn
    if isOn { space.layout.mayMerge = true }
    for area in space.layout.areas.areas where canHoldMergedPages(area) {
      note(isOn ? .mergeable : .unmergeable, space, area.range)
    }
  }
}
