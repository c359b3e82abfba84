// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory

extension X86Object {
  /// Builds the whole entry at once; the same bits as attribute by attribute.
  @inlinable public mutating func place(_ frame: FrameNumber, _ grants: PageGrants) {
    let address = frame.address.raw
    precondition(
      address & ~X86Entry.addressMask == 0 && address & PageSize(shift: shift).mask == 0,
      "the format cannot hold this frame")
    var raw = address | (grants.contains(.readable) ? X86Entry.present : X86Entry.global)
    if shift > PageSize.baseShift { raw |= X86Entry.pageSize }
    if grants.contains(.writable) { raw |= X86Entry.writable }
    if !grants.contains(.executable) { raw |= X86Entry.noExecute }
    if grants.contains(.user) { raw |= X86Entry.user }
    if grants.contains(.accessed) { raw |= X86Entry.accessed }
    if grants.contains(.dirty) { raw |= X86Entry.dirty }
    if grants.contains(.special) { raw |= X86Entry.special }
    entry.raw = raw
  }
}
