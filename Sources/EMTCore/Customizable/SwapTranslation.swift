// SPDX-License-Identifier: MIT
internal import SimMemory

/// Customizable functions 24–26: pages whose contents are elsewhere.
public protocol SwapTranslation: TranslationDatabaseBasics {
  /// Customizable 24: where the object's contents are, nil when they are in memory or there are none
  /// (EMT paper: `tobj_to_swap`).
  func swapEntry(of object: Object) -> SwapEntry?

  /// Customizable 25: `object` with its contents at `entry` instead of in memory. Soft-dirty and userfaultfd
  /// protection travel along; rights, accessed and dirty do not.
  /// - Throws: `AttributeError.unrepresentable` when the format cannot hold the entry.
  func object(_ object: Object, swappedTo entry: SwapEntry) throws(AttributeError) -> Object

  /// Customizable 26: the largest offset that an entry can hold, in base pages.
  var largestSwapOffset: UInt64 { get }
}

extension SwapTranslation {
  /// Default: from the attribute.
  @inlinable public func swapEntry(of object: Object) -> SwapEntry? { object.swapEntry }

  /// Default: to the attribute.
  @inlinable
  public func object(_ object: Object, swappedTo entry: SwapEntry) throws(AttributeError) -> Object {
    var swapped = object
    try swapped.write(.swapEntry, entry.packed)
    return swapped
  }

  /// Default: 2^32 − 1 pages, or as much as the attribute holds.
  public var largestSwapOffset: UInt64 {
    var probe = Object(unmappedAt: VirtualAddress(0), size: .base)
    var offset = UInt64(UInt32.max)
    while offset > 0 {
      do {
        try probe.write(.swapEntry, SwapEntry(area: 0, offset: offset).packed)
        return offset
      } catch { offset >>= 1 }
    }
    return 0
  }
}
