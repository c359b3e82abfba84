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

  /// Compares everything: every mapped object, and that nothing else is mapped.
  ///
  /// Where the driver knows only small voids, the emptiness is checked between the first and the last object only.
  /// - Returns: the first difference, nil when driver and model agree.
  public func disagreement() -> String? {
    let objects = mappedObjects
    let half = VirtualRange(VirtualAddress(context.spaceID == .kernel ? 0 &- 1 << 47 : 0), bytes: 1 << 47)
    var range = half
    if base.find(VirtualAddress(half.start.raw &+ 0x7000_0000_0000)).size.shift < 39 || half.end.raw == 0 {
      guard let first = objects.first, let last = objects.last else {
        return shadow.log.divergence?.description
      }
      range = VirtualRange(first.start, last.end)
    }
    begin("compare everything", range)
    compareState(range)
    return shadow.log.divergence?.description
  }
}
