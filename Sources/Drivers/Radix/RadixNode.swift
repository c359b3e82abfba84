// SPDX-License-Identifier: MIT
public import EntryFormats
public import SimMemory

/// A node: where it is and at which level. A flattened one counts as the node at the upper of its two levels.
@frozen @usableFromInline struct RadixNode: BitwiseCopyable {
  /// The address; bit 0 says that the node is flattened (`FPTFormat.rootMark`).
  @usableFromInline let raw: UInt64
  @usableFromInline let level: Int

  @inlinable @inline(__always) init(_ raw: UInt64, _ level: Int) {
    (self.raw, self.level) = (raw, level)
  }

  @inlinable @inline(__always) var isFlattened: Bool { raw & FPTFormat.rootMark != 0 }
  @inlinable @inline(__always) var frame: FrameNumber { PhysicalAddress(raw).frame }
  @inlinable @inline(__always) var address: PhysicalAddress { frame.address }

  /// An entry that leads to the node. Rights are decided in the leaves; the accessed bit is set so that hardware never
  /// writes the entry.
  @inlinable var pointer: UInt64 {
    let bits = X86Entry.present | X86Entry.writable | X86Entry.user | X86Entry.accessed
    return address.raw | bits | (isFlattened ? FPTFormat.mark : 0)
  }
}
