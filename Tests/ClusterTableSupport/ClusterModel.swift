// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory
internal import X86Object

/// What is mapped, as a dictionary from page start to entry.
struct ClusterModel {
  var pages: [UInt64: X86Object] = [:]

  func at(_ address: UInt64) -> X86Object? {
    for size in [PageSize.base, .twoMiB] {
      if let object = pages[address & ~size.mask], object.size == size { return object }
    }
    return nil
  }

  func mapped(in range: VirtualRange) -> [X86Object] {
    pages.values.filter { $0.span.overlaps(range) }.sorted { $0.start < $1.start }
  }

  /// The first page that reaches over an edge of `range`.
  func overhang(_ range: VirtualRange) -> X86Object? {
    mapped(in: range).first { !range.contains($0.span) }
  }
}
