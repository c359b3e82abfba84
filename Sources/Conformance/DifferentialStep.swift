// SPDX-License-Identifier: MIT
public import SimMemory

/// One operation of a differential run, as plain numbers: it prints as Swift source and replays anywhere.
@frozen public struct DifferentialStep: Sendable, Equatable, CustomStringConvertible {
  /// What to do.
  public var kind: DifferentialKind
  /// Where; a byte address.
  public var address: UInt64
  /// The address space: 0 to 3, or 4 for the kernel's, whose addresses are moved into its half.
  public var space: UInt8
  /// The page size's shift, where one is needed.
  public var shift: UInt8
  /// How many pages a range or a run has.
  public var pages: UInt64
  /// Flags and choices.
  public var bits: UInt64
  /// How many frame allocations succeed before all others of the step fail; nil means that none fails.
  public var failAfter: Int?
  /// Only one allocation fails, not all from there on.
  public var failsOnce: Bool

  /// A step.
  public init(
    _ kind: DifferentialKind, _ address: UInt64, space: UInt8 = 0, shift: UInt8 = 12, pages: UInt64 = 1,
    bits: UInt64 = 0, failAfter: Int? = nil, failsOnce: Bool = false
  ) {
    self.kind = kind
    self.address = address
    self.space = space
    self.shift = shift
    self.pages = pages
    self.bits = bits
    self.failAfter = failAfter
    self.failsOnce = failsOnce
  }

  /// The step as Swift source.
  public var description: String {
    var text = "DifferentialStep(.\(kind), 0x\(String(address, radix: 16))"
    if space != 0 { text += ", space: \(space)" }
    if shift != 12 { text += ", shift: \(shift)" }
    if pages != 1 { text += ", pages: \(pages)" }
    if bits != 0 { text += ", bits: 0x\(String(bits, radix: 16))" }
    if let failAfter { text += ", failAfter: \(failAfter)" }
    if failsOnce { text += ", failsOnce: true" }
    return text + ")"
  }

  @inlinable var size: PageSize { PageSize(shift: shift) }
  /// Where the kernel's half begins.
  @usableFromInline static var kernelHalf: UInt64 { 0xFFFF_8000_0000_0000 }
  @inlinable var isKernel: Bool { space == 4 }
  @inlinable var start: VirtualAddress {
    VirtualAddress(isKernel ? address | DifferentialStep.kernelHalf : address)
  }
  @inlinable var range: VirtualRange { VirtualRange(start.aligned(down: .base), bytes: pages << 12) }
}

extension DifferentialStep {
  /// Steps with less to them, for shrinking.
  var plainerForms: [DifferentialStep] {
    let edits: [(inout DifferentialStep) -> Void] = [
      { ($0.failAfter, $0.failsOnce) = (nil, false) }, { $0.bits = 0 }, { $0.bits &= 7 }, { $0.pages = 1 },
      { $0.pages = max($0.pages / 2, 1) }, { $0.shift = 12 }, { $0.space = 0 },
    ]
    return edits.compactMap { edit in
      var step = self
      edit(&step)
      return step == self ? nil : step
    }
  }
}
