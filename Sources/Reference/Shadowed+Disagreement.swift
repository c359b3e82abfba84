// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

extension Shadowed {
  /// What the model holds of the address space's own half, in order of address.
  @inlinable public var mappedObjects: [Object] {
    model.objects(touching: half)
  }

  /// The half of the address space that is the database's own.
  @inlinable public var half: VirtualRange {
    let bytes: UInt64 = 1 << UInt64(model.addressBits - 1)
    return VirtualRange(VirtualAddress(context.spaceID == .kernel ? 0 &- bytes : 0), bytes: bytes)
  }

  /// The model's object for `address`, for comparisons with what hardware sees.
  @inlinable public func expected(at address: VirtualAddress) -> Object { model.find(address) }

  /// The mapped object that holds `address` as the model knows it.
  @inlinable public func expectedPage(at address: VirtualAddress) -> Object? { model.mapped(at: address) }

  /// Notes that hardware used the page at `address`, and wrote to it when `isStore`: for callers that run a walker
  /// themselves while the service does not expect hardware to set bits.
  @inlinable public func noteAccess(at address: VirtualAddress, isStore: Bool) {
    guard var object = model.mapped(at: address), object.isPresent,
      !object.isAccessed || isStore && !object.isDirty
    else { return }
    object.isAccessed = true
    if isStore { object.isDirty = true }
    model.put(object)
  }

  /// All mapped objects that touch `range` as the model knows them, in order of address.
  @inlinable public func expected(in range: VirtualRange) -> [Object] { model.objects(touching: range) }

  /// Notes a difference that a caller found.
  @inlinable public func noteDifference(expected: String, got: String) { report(expected, got) }

  /// Compares everything: every mapped object, and the voids between and around them.
  ///
  /// Voids are walked by the spans that the driver knows. Where it knows only small ones, a large void is checked near
  /// its edges.
  /// - Returns: the first difference, nil when driver and model agree.
  @inlinable public func disagreement() -> String? {
    begin("compare everything", half)
    var cursor = half.start
    for object in mappedObjects {
      if cursor != object.start { checkVoid(VirtualRange(cursor, object.start)) }
      compare(base.find(object.start), object, "find \(object.start)")
      let last = VirtualAddress(object.start.raw &+ object.size.mask)
      if object.size > .base { check(base.find(last), at: last) }
      cursor = object.end
    }
    checkVoid(VirtualRange(cursor, VirtualAddress(half.end.raw &- 1)))
    return shadow.log.divergence?.description
  }

  @inlinable func checkVoid(_ gap: VirtualRange) {
    let edge: UInt64 = 2 << 20
    var cursor = gap.start
    for start in [gap.start, gap.bytes > edge ? VirtualAddress(gap.end.raw - edge) : gap.start] {
      cursor = Swift.max(cursor, start)
      var looks = 0
      while cursor < gap.end, looks < 30, !shadow.log.hasDivergence {
        let found = base.find(cursor)
        check(found, at: cursor)
        if found.end.raw == 0 { return }
        cursor = found.end
        looks += 1
      }
    }
  }
}
