// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory
public import X86Object

/// A present, writable user page whose frame tells where it is.
public func page(_ address: UInt64, _ size: PageSize = .base, frame: UInt64 = 1 << 18) -> X86Object {
  var object = X86Object(unmappedAt: VirtualAddress(address), size: size)
  object.isPresent = true
  object.isWritable = true
  object.isUser = true
  object.frame = FrameNumber(frame)
  return object
}

extension TranslationDatabase {
  /// Updates and pays the flush.
  @discardableResult public func put(_ object: Object) throws(TranslationError) -> Object {
    let change = try update(object)
    let old = change.old
    settle(change.takeObligation())
    return old
  }

  /// Removes and pays the flush.
  @discardableResult public func drop(_ object: Object) throws(TranslationError) -> Object {
    let change = try remove(object)
    let old = change.old
    settle(change.takeObligation())
    return old
  }
}

/// A range from addresses.
public func range(_ start: UInt64, _ end: UInt64) -> VirtualRange {
  VirtualRange(VirtualAddress(start), VirtualAddress(end))
}
