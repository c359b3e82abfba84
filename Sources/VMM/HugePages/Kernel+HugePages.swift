// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Which addresses may have a huge page. A huge page lies inside one area: whoever changes a part of an area cuts the
// huge pages at its edges first.
extension Kernel {
  /// Whether an area of this kind can hold huge pages at all: private memory without a file, of whose faults no
  /// userfaultfd is told page by page.
  @inlinable func canHoldHugePages(_ area: VMA) -> Bool {
    area.isAnonymous && area.isPrivate && hugeSize != .base && area.flags.isDisjoint(with: .userfaults)
  }

  /// Whether the policy wants huge pages in `area`.
  @inlinable func welcomesHugePages(_ area: VMA) -> Bool {
    switch hugePages.policy {
    case .never: false
    case .madvise: area.flags.contains(.hugePages) && canHoldHugePages(area)
    case .always: !area.flags.contains(.noHugePages) && canHoldHugePages(area)
    }
  }

  /// The addresses of the huge page around `address`, where `area` has room for it and may have it or get it.
  @inlinable func hugePage(of area: VMA, at address: VirtualAddress) -> VirtualRange? {
    guard area.flags.contains(.hasHugePages) || welcomesHugePages(area) else { return nil }
    let page = VirtualRange(page: address, hugeSize)
    return area.range.contains(page) ? page : nil
  }

  /// Whether a fault may put a huge page at `page`: the policy wants it, and nothing is there yet.
  @inlinable
  func takesHugePage(_ database: Database, _ area: VMA, _ page: VirtualRange) -> Bool {
    guard welcomesHugePages(area) else { return false }
    let mark = meter.enter(.hugePageCheck)
    defer { meter.leave(mark) }
    return database.isEligible(hugeSize, for: page, in: area.range)
  }

  /// Where to go on after the page at `address` was brought in: behind it, which is far for a huge page.
  @inlinable
  func nextAddress(_ space: Space<Database>, after address: VirtualAddress) -> VirtualAddress {
    let next = address.advanced(by: PageSize.base.bytes)
    if usesHugeTLB, let area = space.layout.areas.area(at: address), area.flags.contains(.hugeTLB) {
      return nextPooledAddress(area, after: address)
    }
    guard hugePageCounts.isInUse, let area = space.layout.areas.area(at: address) else { return next }
    if area.flags.contains(.device) { return Swift.max(next, space.database.find(address).end) }
    guard let page = hugePage(of: area, at: address)
    else { return next }
    let object = space.database.find(address)
    return object.isPresent && object.size == hugeSize ? page.end : next
  }

  @usableFromInline
  func noteHugePages(_ space: Space<Database>, _ address: VirtualAddress, _ marks: VMAFlags) {
    guard let index = space.layout.areas.index(of: address) else { return }
    if !space.layout.areas.areas[index].flags.isSuperset(of: marks) {
      space.layout.areas.areas[index].flags.formUnion(marks)
    }
  }
}
