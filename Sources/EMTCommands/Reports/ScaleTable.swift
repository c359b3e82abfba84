// SPDX-License-Identifier: MIT
internal import Catalog
internal import Foundation
internal import Profiling

/// `emt bench --scale`: one large mapping, touched page by page, on one driver after the other.
enum ScaleTable {
  /// - Parameter isCounted: every run is repeated under callgrind, which counts the faults' instructions.
  static func run(
    _ drivers: [Driver], sizes: [UInt64], isCounted: Bool, isJSON: Bool
  ) throws(CommandFailure) {
    let callgrind = isCounted ? try Callgrind() : nil
    defer { callgrind?.remove() }
    var rows: [ScaleRow] = []
    for size in sizes {
      for driver in drivers {
        let name = driver.description.name
        let label = "\(name): \(Units.text(bytes: size))"
        let pages = size >> 12
        var row = try driver.scale(
          ScaleJob(bytes: size, driver: name) { Terminal.progress("\(label)  \($0 * 100 / pages) %") })
        if let callgrind {
          Terminal.progress("\(label)  under callgrind")
          row.countedPerFault = try count(name, size, callgrind)
        }
        if isJSON { Terminal.print(try CommonOptions.json(row)) }
        rows.append(row)
      }
    }
    Terminal.progress("")
    if !isJSON { show(rows) }
  }

  /// Instructions per fault, counted by callgrind in another run of this program.
  private static func count(
    _ driver: String, _ bytes: UInt64, _ callgrind: Callgrind
  ) throws(CommandFailure) -> Double {
    let words = ["bench", "--scale", String(bytes), "--driver", driver, "--json"]
    let dumps = try callgrind.run(words, without: []).dumps
    guard dumps.count >= 2 else {
      throw .failed("callgrind wrote \(dumps.count) dumps; is the program stripped?")
    }
    let calls = dumps[1].calls { $0.contains("Tg5") && $0.hasPrefix("$s3VMM6KernelC9pageFault") }
    guard calls.count == bytes >> 12 else {
      throw .failed(
        "\(driver): callgrind saw \(calls.count) of \(bytes >> 12) faults; is their entry compiled for the driver?"
      )
    }
    return Double(calls.instructions) / Double(calls.count)
  }

  private static func show(_ rows: [ScaleRow]) {
    Terminal.print(
      "one private mapping, a store to every base page in ascending order: one fault each, contents untouched"
    )
    let isCounted = rows.contains { $0.countedPerFault != nil }
    var table = TextTable(
      ["driver", "size", "pages", "seconds", "ns/fault", "instructions/fault"]
        + (isCounted ? ["counted"] : [])
        + ["tables", "bytes/page", "peak tables", "peak host memory", "host's tables"])
    for row in rows {
      var cells = [
        row.driver, Units.text(bytes: row.pages << 12), Units.grouped(row.pages),
        Units.decimal(row.seconds, places: 2), Units.decimal(row.nanosecondsPerFault, places: 1),
        Units.decimal(row.modelledPerFault, places: 1),
      ]
      if isCounted { cells.append(row.countedPerFault.map { Units.decimal($0, places: 1) } ?? "-") }
      cells += [
        Units.text(bytes: row.tableBytes), Units.decimal(row.tableBytesPerPage, places: 2),
        Units.text(bytes: row.peakTableBytes),
        Units.text(bytes: row.peakHostBytes) + (row.isOwnPeak ? "" : " *"),
        Units.text(bytes: row.hostPageTableBytes),
      ]
      table.add(cells)
    }
    table.print()
    Terminal.print(
      "instructions: modelled by the meter"
        + (isCounted ? "; counted: by callgrind, the same faults once more" : ""))
    if rows.contains(where: { !$0.isOwnPeak }) {
      Terminal.print(
        "* this host keeps one peak for the whole run: use --driver and one size for each driver's own")
    }
  }
}
