// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

extension Shadowed {
  /// What the model holds of the address space's own half, in order of address.
  public var mappedObjects: [Object] {
    let half = UInt64(1) << 47
    let isKernel = context.spaceID == .kernel
    return model.objects(touching: VirtualRange(VirtualAddress(isKernel ? 0 &- half : 0), bytes: half))
  }

  /// The model's object for `address`, for comparisons with what hardware sees.
  public func expected(at address: VirtualAddress) -> Object { model.find(address) }

  /// Compares everything: every mapped object, and the voids between and around them.
  ///
  /// Voids are walked by the spans that the driver knows. Where it knows only small ones, a large void is checked near
  /// its edges.
  /// - Returns: the first difference, nil when driver and model agree.
  public func disagreement() -> String? {
    let half = VirtualRange(VirtualAddress(context.spaceID == .kernel ? 0 &- 1 << 47 : 0), bytes: 1 << 47)
    begin("compare everything", half)
    var cursor = half.start
    for object in mappedObjects {
      checkVoid(VirtualRange(cursor, object.start))
      check(base.find(object.start), at: object.start)
      let last = VirtualAddress(object.start.raw &+ object.size.mask)
      if object.size > .base { check(base.find(last), at: last) }
      cursor = object.end
    }
    checkVoid(VirtualRange(cursor, VirtualAddress(half.end.raw &- 1)))
    return shadow.log.divergence?.description
  }

  private func checkVoid(_ gap: VirtualRange) {
    let edge: UInt64 = 2 << 20
    var cursor = gap.start
    for start in [gap.start, gap.bytes > edge ? VirtualAddress(gap.end.raw - edge) : gap.start] {
      cursor = Swift.max(cursor, start)
      var looks = 0
      while cursor < gap.end, looks < 100, shadow.log.divergence == nil {
        let found = base.find(cursor)
        check(found, at: cursor)
        if found.end.raw == 0 { return }
        cursor = found.end
        looks += 1
      }
    }
  }
}
