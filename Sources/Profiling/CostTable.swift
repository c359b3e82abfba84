// SPDX-License-Identifier: MIT
public import EMTCore

/// What each primitive event of kernel work costs, in instructions, on one driver.
///
/// The numbers come from `Scripts/calibrate`, which fits them to instructions counted by callgrind on this code; they
/// are never written by hand. Everything computed with them is "modelled".
public struct CostTable: Sendable, Equatable {
  /// Instructions per event.
  public var costs: [KernelEvent: Double]

  /// A table; events that are not named cost nothing.
  public init(_ costs: [KernelEvent: Double]) { self.costs = costs }

  /// The committed table for a driver; drivers that were never calibrated use the radix tree's.
  public static func fitted(for driver: String) -> CostTable {
    fittedTables[driver] ?? fittedTables["radix"] ?? CostTable([:])
  }

  /// Whether a driver was calibrated.
  public static func isFitted(for driver: String) -> Bool { fittedTables[driver] != nil }

  /// Modelled instructions of kernel work in one operation; contents of pages are not part of it.
  public func instructions(of work: KernelWork, in operation: KernelOperation) -> UInt64 {
    sum(work, operation) { !$0.isContentWork }
  }

  /// Modelled instructions spent on clearing and copying page contents.
  public func contentInstructions(of work: KernelWork) -> UInt64 {
    KernelOperation.allCases.reduce(0) { $0 + sum(work, $1) { $0.isContentWork } }
  }

  private func sum(_ work: KernelWork, _ operation: KernelOperation, where isCounted: (KernelEvent) -> Bool)
    -> UInt64
  {
    let total = KernelEvent.allCases.filter(isCounted).reduce(0.0) {
      $0 + (costs[$1] ?? 0) * Double(work[operation, $1])
    }
    return UInt64(total.rounded())
  }
}
