// SPDX-License-Identifier: MIT

extension ReplayReport {
  /// Prints the report for people.
  func show() {
    Terminal.print(Terminal.bold("\(trace) on \(driver)"))
    var table = TextTable(["", ""])
    func row(_ name: String, _ value: String) { table.add([name, value]) }
    row("processes", "\(processes)")
    row("fetches", Units.grouped(accesses.fetch))
    row("loads", Units.grouped(accesses.load))
    row("stores", Units.grouped(accesses.store))
    row("system calls", "\(syscalls.total) (\(syscalls.memory) on memory)")
    row("divergences from Linux", "\(divergences)")
    row("answers of valgrind's own", "\(valgrindAnswers)")
    row("refusals taken from the trace", "\(resourceRefusals)")
    row("refused as on Linux", "\(expectedRefusals)")
    row(
      "faults minor / major / COW / huge",
      "\(faults.minor) / \(faults.major) / \(faults.cow) / \(faults.huge)")
    if hugePages != HugePages() {
      row(
        "huge pages mapped / split / collapsed",
        "\(hugePages.mapped) / \(hugePages.splits) / \(hugePages.collapses)")
    }
    row("fatal faults", "\(faults.fatal)")
    row("mapped pages, peak", Units.grouped(mappedPages.peak))
    row("pages inferred from use", Units.grouped(inferredPages))
    row("table bytes, peak", Units.text(bytes: pageTableBytes.peak))
    if let nodes = pageTableBytes.peakByNode {
      row("  by node", nodes.map { Units.text(bytes: $0) }.joined(separator: " / "))
    }
    row("  largest process", Units.text(bytes: pageTableBytes.largestProcess))
    row("  empty process", Units.text(bytes: pageTableBytes.emptyProcess))
    row("kernel work, instructions (\(kernelWorkSource))", Units.grouped(kernelWork.total))
    row("  page faults", Units.grouped(kernelWork.pageFault))
    row("  system calls", Units.grouped(kernelWork.systemCall))
    if kernelWork.khugepaged > 0 { row("  collapsing", Units.grouped(kernelWork.khugepaged)) }
    if reclaim.scanned > 0 {
      row("  reclaim in the background", Units.grouped(kernelWork.reclaim))
      row("pages reclaimed / looked at", "\(reclaim.reclaimed) / \(reclaim.scanned)")
      row("pages to / from swap", "\(reclaim.swappedOut) / \(reclaim.swappedIn)")
      row("file pages written / read back", "\(reclaim.writtenBack) / \(reclaim.readBack)")
    }
    row("  other", Units.grouped(kernelWork.other))
    row("content work, instructions", Units.grouped(contentWork))
    row(
      "TLB look-ups / misses",
      "\(Units.grouped(translation.lookups)) / \(Units.grouped(translation.tlbMisses))")
    row(
      "walks / references",
      "\(Units.grouped(translation.walks)) / \(Units.grouped(translation.walkReferences))")
    if checks > 0 { row("checks / disagreements", "\(checks) / \(disagreements.count)") }
    let total = accesses.fetch + accesses.load + accesses.store
    row("seconds", Units.decimal(seconds, places: 3))
    row("million records a second", Units.decimal(Double(total) / max(seconds, 1e-9) / 1e6, places: 1))
    for line in table.lines.dropFirst() { Terminal.print(line) }
    for note in divergenceNotes { Terminal.print("divergence: \(note)") }
    for note in disagreements { Terminal.print("disagreement: \(note)") }
  }
}
