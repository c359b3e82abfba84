// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// A lock over a range: that of one 2 MiB region where the range lies inside one, else that of the database. See
/// `RadixDatabase` for the protocol.
@frozen public struct RadixLock: Sendable, BitwiseCopyable {
  /// How it is held through this value.
  public internal(set) var mode = LockMode.none
  /// The start of the region, or nil for the exclusive form.
  let region: VirtualAddress?
  /// The level-1 word that is locked; 0 when the exclusive form is held.
  var word = PhysicalAddress(0)
}
