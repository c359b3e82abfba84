// SPDX-License-Identifier: MIT
internal import SimMemory

/// One operation of a differential run, as plain numbers: it prints as Swift source and replays anywhere.
public struct DifferentialStep: Sendable, Equatable, CustomStringConvertible {
  /// What to do.
  public enum Kind: String, Sendable, CaseIterable {
    /// Look an address up.
    case find
    /// Insert or replace a present page with the flags in `bits`.
    case update
    /// Replace a base page by a swap entry.
    case swapOut
    /// Remove the page of `shift` at the address.
    case remove
    /// Remove what is at the address and put it back.
    case removeAndUndo
    /// Insert `pages` consecutive pages of `shift`.
    case insertRun
    /// Split what is at the address.
    case split
    /// Reserve memory for a split, then split.
    case prepareAndSplit
    /// Collapse everything into a page of `shift`; bit 0 of `bits` makes the copier refuse.
    case collapse
    /// Ask whether a page of `shift` may be inserted.
    case eligible
    /// Ask whether a range is void and how much of it is mapped.
    case measure
    /// Remove a range.
    case removeAll
    /// Change the rights of a range to the low three bits of `bits`.
    case protect
    /// Copy a range into the second address space, deciding by `bits`.
    case copy
    /// Move a range by `bits` slots of 8 GiB and some pages.
    case move
    /// Iterate over a range and change things meanwhile.
    case walk
    /// Change attributes in place.
    case edit
    /// Test and clear accessed.
    case accessed
    /// Test and clear dirty.
    case dirty
    /// Set accessed, and dirty when bit 0 of `bits` is set.
    case touch
    /// Allow stores.
    case makeWritable
  }

  /// What to do.
  public var kind: Kind
  /// Where; a byte address.
  public var address: UInt64
  /// The page size's shift, where one is needed.
  public var shift: UInt8
  /// How many pages a range or a run has.
  public var pages: UInt64
  /// Flags and choices.
  public var bits: UInt64
  /// How many frame allocations succeed during the step; nil means all.
  public var failAfter: Int?

  /// A step.
  public init(
    _ kind: Kind, _ address: UInt64, shift: UInt8 = 12, pages: UInt64 = 1, bits: UInt64 = 0,
    failAfter: Int? = nil
  ) {
    self.kind = kind
    self.address = address
    self.shift = shift
    self.pages = pages
    self.bits = bits
    self.failAfter = failAfter
  }

  /// The step as Swift source.
  public var description: String {
    var text = "DifferentialStep(.\(kind.rawValue), 0x\(String(address, radix: 16))"
    if shift != 12 { text += ", shift: \(shift)" }
    if pages != 1 { text += ", pages: \(pages)" }
    if bits != 0 { text += ", bits: 0x\(String(bits, radix: 16))" }
    if let failAfter { text += ", failAfter: \(failAfter)" }
    return text + ")"
  }

  var start: VirtualAddress { VirtualAddress(address) }
  var size: PageSize { PageSize(shift: shift) }
  var range: VirtualRange { VirtualRange(start, bytes: pages << 12) }
}

extension DifferentialStep {
  /// Steps with less to them, for shrinking.
  var plainerForms: [DifferentialStep] {
    let edits: [(inout DifferentialStep) -> Void] = [
      { $0.failAfter = nil }, { $0.bits = 0 }, { $0.bits &= 7 }, { $0.pages = 1 },
      { $0.pages = max($0.pages / 2, 1) },
    ]
    return edits.compactMap { edit in
      var step = self
      edit(&step)
      return step == self ? nil : step
    }
  }
}
