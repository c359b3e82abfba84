// SPDX-License-Identifier: MIT

extension ComparisonTable {
  /// What tables cost: an empty process, the largest process, all processes together.
  func showMemory(_ reports: [ReplayReport]) {
    Terminal.print("bytes of page tables")
    var table = TextTable(["driver", "empty process", "largest process", "all, peak", "all, at the end"])
    for report in reports {
      let bytes = report.pageTableBytes
      table.add(
        [report.driver]
          + [bytes.emptyProcess, bytes.largestProcess, bytes.peak, bytes.final].map { Units.text(bytes: $0) })
    }
    table.print()
    Terminal.print("")
    guard let nodes = reports.first?.pageTableBytes.peakByNode?.count else { return }
    Terminal.print("bytes of page tables by NUMA node, at the peak")
    var byNode = TextTable(["driver"] + (0..<nodes).map { "node \($0)" })
    for report in reports {
      byNode.add([report.driver] + (report.pageTableBytes.peakByNode ?? []).map { Units.text(bytes: $0) })
    }
    byNode.print()
    Terminal.print("")
  }
}
