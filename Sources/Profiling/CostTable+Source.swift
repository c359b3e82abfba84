// SPDX-License-Identifier: MIT
internal import EMTCore

extension CostTable {
  /// Swift source of a file with `tables`, by driver.
  public static func source(of tables: [(driver: String, table: CostTable)]) -> String {
    var lines = [
      "// SPDX-License-Identifier: MIT",
      "// Written by Scripts/calibrate. Do not edit: run it again.",
      "internal import EMTCore",
      "",
      "extension CostTable {",
      "  static let fittedTables: [String: CostTable] = [",
    ]
    for entry in tables {
      lines.append("    \"\(entry.driver)\": CostTable([")
      for event in KernelEvent.allCases {
        lines.append("      .\(event): \(rounded(entry.table.costs[event] ?? 0)),")
      }
      lines.append("    ]),")
    }
    lines += ["  ]", "}", ""]
    return lines.joined(separator: "\n")
  }

  /// Tenths of an instruction, written the shortest way.
  private static func rounded(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? String(tenths / 10) : "\(tenths / 10).\(tenths % 10)"
  }
}
