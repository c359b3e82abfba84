// SPDX-License-Identifier: MIT
public import SimMemory

/// The three TLBs of a CPU.
@frozen public enum TLBName: Sendable, CaseIterable {
  /// First level, instruction fetches.
  case fetch
  /// First level, loads and stores.
  case data
  /// Second level.
  case second
}

/// One entry of a TLB.
public struct TLBEntry: Hashable, Sendable {
  /// The TLB that holds it.
  public let tlb: TLBName
  /// The address space that it was filled for; a global entry serves every space.
  public let spaceID: UInt16
  /// The addresses that it translates; the size is `translation.size`.
  public let range: VirtualRange
  /// Where they go.
  public let translation: Translation
}

extension MMU {
  func level(_ name: TLBName) -> TLBLevel {
    switch name {
    case .fetch: fetchTLB
    case .data: dataTLB
    case .second: secondTLB
    }
  }

  /// What a TLB would answer for `address` of a space, or nil; changes no order of use and counts nothing.
  public func cached(_ address: VirtualAddress, spaceID: UInt16, in name: TLBName) -> Translation? {
    guard Tag.covers(address) else { return nil }
    let translation = level(name).peek(address, spaceID)
    return translation.raw == 0 ? nil : translation
  }

  /// All entries of all TLBs, for checkers that compare them with the tables.
  public var cachedEntries: [TLBEntry] {
    var entries: [TLBEntry] = []
    for name in TLBName.allCases {
      level(name).forEachArray { array in
        array.forEach { tag, word in
          let translation = Translation(raw: word)
          entries.append(
            TLBEntry(
              tlb: name, spaceID: UInt16(truncatingIfNeeded: tag),
              range: VirtualRange(Tag.start(tag), bytes: translation.size.bytes),
              translation: translation))
        }
      }
    }
    return entries
  }
}
