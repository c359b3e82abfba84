// SPDX-License-Identifier: MIT
public import SimMemory

/// What the kernel has mapped for itself, and how it frees.
public struct KernelMemory: Sendable {
  /// How TLBs are told that an area is gone.
  public enum Flushing: Sendable {
    /// Every `freeKernelMemory` interrupts all CPUs.
    case immediate
    /// Freed areas are collected, and one flush serves all of them when they hold more than `lazyPages` pages, or when
    /// addresses or memory run out (Linux's way).
    case lazy
  }
  /// When freed areas are flushed.
  public var flushing = Flushing.lazy
  /// Base pages that freed areas may hold before they are flushed. Linux: 32 MiB for a few CPUs.
  public var lazyPages: UInt64 = 8192
  /// The addresses that stand for physical memory; empty when it was not mapped.
  public internal(set) var directMap = VirtualRange(KernelLayout.directMap, KernelLayout.directMap)
  /// Flushes that served freed areas.
  public internal(set) var purges: UInt64 = 0
  /// Base pages in areas that are freed and not flushed yet.
  public internal(set) var freedPages: UInt64 = 0
  /// All areas in order of their addresses, freed ones included until they are flushed.
  public private(set) var areas: [KernelArea] = []

  init() {}

  /// Base pages of areas that are in use.
  public var pages: UInt64 { areas.reduce(0) { $0 + ($1.isFreed ? 0 : $1.range.pages) } }

  /// The area that holds `address`.
  /// - Complexity: logarithmic in the areas.
  public func area(at address: VirtualAddress) -> KernelArea? {
    let index = firstIndex(endingAfter: address)
    guard index < areas.count, areas[index].range.contains(address) else { return nil }
    return areas[index]
  }

  /// The lowest free addresses for `pages` pages and the guard page behind them, aligned to `alignment`.
  /// - Complexity: linear in the areas.
  func gap(pages: UInt64, alignment: PageSize) -> VirtualRange? {
    let bytes = pages << 12
    var start = KernelLayout.mappings.start
    for area in areas {
      if start <= area.range.start, area.range.start.raw - start.raw >= bytes + PageSize.base.bytes { break }
      start = VirtualAddress((area.range.end.raw + PageSize.base.bytes + alignment.mask) & ~alignment.mask)
    }
    let end = KernelLayout.mappings.end
    guard start < end, end.raw - start.raw >= bytes + PageSize.base.bytes else { return nil }
    return VirtualRange(start, bytes: bytes)
  }

  mutating func insert(_ area: KernelArea) {
    areas.insert(area, at: firstIndex(endingAfter: area.range.start))
  }

  /// Takes out the area that starts at `start`.
  mutating func remove(_ start: VirtualAddress) {
    let index = firstIndex(endingAfter: start)
    if areas[index].isFreed { freedPages -= areas[index].range.pages }
    areas.remove(at: index)
  }

  /// Notes that the area that starts at `start` is not used any more.
  mutating func markFreed(_ start: VirtualAddress) {
    let index = firstIndex(endingAfter: start)
    areas[index].isFreed = true
    freedPages += areas[index].range.pages
  }

  private func firstIndex(endingAfter address: VirtualAddress) -> Int {
    var low = 0
    var high = areas.count
    while low < high {
      let middle = (low + high) / 2
      if areas[middle].range.end <= address { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
