// SPDX-License-Identifier: MIT

/// The main job's table: drivers side by side on one trace.
struct ComparisonTable {
  private let reports: [ReplayReport]
  private let isSample: Bool

  /// A table of `reports`, which are of the same trace.
  init(_ reports: [ReplayReport], isSample: Bool) {
    self.reports = reports
    self.isSample = isSample
  }

  /// Prints it.
  func show() {
    guard let first = reports.first else { return }
    let records = first.accesses.fetch + first.accesses.load + first.accesses.store
    Terminal.print(
      Terminal.bold(isSample ? "built-in sample: \(first.trace)" : first.trace)
        + ": \(Units.grouped(records)) accesses, \(first.syscalls.memory) memory calls, "
        + "\(first.processes) \(first.processes == 1 ? "process" : "processes")")
    Terminal.print("")
    showKernelWork()
    Terminal.print("")
    showMemory(reports)
    showHardware()
    Terminal.print("")
    showAgreement(first)
  }

  /// The driver that the others are compared with: radix if it is there.
  private var base: ReplayReport? { reports.first { $0.driver == "radix" } ?? reports.first }

  private func showKernelWork() {
    Terminal.print(
      "kernel work in thousands of instructions (modelled)")
    let collapses = reports.contains { $0.kernelWork.khugepaged > 0 }
    var table = TextTable(
      ["driver", "page faults", "system calls"] + (collapses ? ["collapsing"] : [])
        + ["other", "total", "vs \(base?.driver ?? "")", "per fault", "tables peak"])
    for report in reports {
      let work = report.kernelWork
      let faults = report.faults.minor + report.faults.major + report.faults.cow + report.faults.huge
      table.add(
        [report.driver, thousands(work.pageFault), thousands(work.systemCall)]
          + (collapses ? [thousands(work.khugepaged)] : [])
          + [
            thousands(work.other), thousands(work.total), ratio(work.total, base?.kernelWork.total),
            Units.grouped(faults == 0 ? 0 : work.pageFault / faults),
            Units.text(bytes: report.pageTableBytes.peak),
          ])
    }
    table.print()
    let borrowed = reports.filter { $0.kernelWorkSource != "modelled" }.map(\.driver)
    if !borrowed.isEmpty {
      Terminal.print(
        "not calibrated yet, events priced with radix's costs: \(borrowed.joined(separator: ", "))")
    }
  }

  private func showHardware() {
    Terminal.print("translation hardware")
    var table = TextTable([
      "driver", "look-ups", "TLB misses", "walks", "references", "per walk", "walk cycles",
      "vs \(base?.driver ?? "")",
    ])
    for report in reports {
      let hardware = report.translation
      let perWalk = Double(hardware.walkReferences) / Double(max(hardware.walks, 1))
      table.add([
        report.driver, Units.grouped(hardware.lookups), Units.grouped(hardware.tlbMisses),
        Units.grouped(hardware.walks), Units.grouped(hardware.walkReferences),
        Units.decimal(perWalk, places: 2),
        Units.grouped(hardware.walkCycles), ratio(hardware.walkCycles, base?.translation.walkCycles),
      ])
    }
    table.print()
  }

  private func showAgreement(_ first: ReplayReport) {
    let faults = first.faults
    Terminal.print(
      "faults: \(Units.grouped(faults.minor)) minor, \(Units.grouped(faults.major)) major, "
        + "\(Units.grouped(faults.cow)) copy-on-write"
        + (faults.huge > 0 ? ", \(Units.grouped(faults.huge)) huge" : "")
        + "; pages mapped at most: \(Units.grouped(first.mappedPages.peak))")
    if first.thp != "never" {
      Terminal.print(
        "huge pages (\(first.thp)): \(Units.grouped(first.hugePages.mapped)) mapped by faults, "
          + "\(Units.grouped(first.hugePages.splits)) split, \(Units.grouped(first.hugePages.collapses)) collapsed"
      )
    }
    let isShort = reports.contains { $0.reclaim.scanned > 0 }
    for report in reports where isShort {
      Terminal.print(
        "\(report.driver): \(Units.grouped(report.reclaim.swappedOut)) pages to swap, "
          + "\(Units.grouped(report.reclaim.swappedIn)) from swap, "
          + "\(Units.grouped(report.reclaim.writtenBack)) file pages written back; "
          + "\(thousands(report.kernelWork.reclaim)) thousand instructions of reclaim in the background")
    }
    // With too little memory the size of a driver's tables decides how often pages leave.
    let same = reports.allSatisfy {
      (isShort
        || $0.faults == first.faults && $0.mappedPages == first.mappedPages
          && $0.hugePages == first.hugePages)
        && $0.contentDigest == first.contentDigest
    }
    Terminal.print(
      same
        ? "all drivers agree on \(isShort ? "" : "faults, mapped pages and ")contents"
        : "DRIVERS DISAGREE on faults, mapped pages or contents: run emt replay --check")
    for report in reports {
      Terminal.print(
        "\(report.driver): \(report.divergences) divergences from Linux, "
          + "\(Units.decimal(Double(first.accesses.fetch + first.accesses.load + first.accesses.store) / max(report.seconds, 1e-9) / 1e6, places: 1)) million accesses/s"
      )
    }
  }

  private func thousands(_ number: UInt64) -> String { Units.grouped((number + 500) / 1000) }

  private func ratio(_ number: UInt64, _ base: UInt64?) -> String {
    guard let base, base > 0 else { return "-" }
    return Units.decimal(Double(number) / Double(base), places: 2) + "×"
  }
}
