// SPDX-License-Identifier: MIT
// Written by Scripts/calibrate. Do not edit: run it again.
internal import EMTCore

extension CostTable {
  static let fittedTables: [String: CostTable] = [
    "radix": CostTable([
      .faultEntry: 40, .systemCallEntry: 60, .vmaLookup: 20, .vmaChange: 120, .vmaStep: 60, .lookup: 40,
      .entryWrite: 40, .iteratorStep: 20, .rangeEntry: 20, .rangeGroup: 40, .extraProbe: 10,
      .clusterMove: 120, .tableFrame: 600, .tableFrameFreed: 80, .lock: 25, .lockWait: 5,
      .invalidation: 60, .spaceSwitch: 60, .frameAllocated: 30, .frameFreed: 30, .pageCache: 40,
      .pageCount: 10, .contentZeroed: 512, .contentCopied: 1024,
    ])
  ]
}
