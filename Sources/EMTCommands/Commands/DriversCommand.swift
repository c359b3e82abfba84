// SPDX-License-Identifier: MIT
internal import Catalog
internal import EMTCore
internal import SimMemory

/// `emt drivers`.
enum DriversCommand: Command {
  static var syntax: CommandSyntax {
    CommandSyntax(
      name: "drivers", usage: "drivers [--json]", summary: "Lists the translation drivers.",
      options: [CommonOptions.json])
  }

  private struct Row: Encodable {
    var name: String
    var summary: String
    var pageSizes: [UInt64]
    var walk: String
    var options: [String: String]
  }

  static func run(_ words: [String], drivers: [Driver]) throws(CommandFailure) -> Int32 {
    let arguments = try Arguments(words, syntax)
    if let extra = arguments.operands.first { throw .usage("emt drivers: unexpected '\(extra)'") }
    if arguments.has("--json") {
      for driver in drivers {
        let about = driver.description
        let row = Row(
          name: about.name, summary: about.summary, pageSizes: about.pageSizes.all.map(\.bytes),
          walk: about.walk, options: about.options)
        Terminal.print(try CommonOptions.json(row))
      }
      return 0
    }
    var table = TextTable(["driver", "page sizes", "walk"], words: [0, 1, 2])
    for driver in drivers {
      let about = driver.description
      let sizes = about.pageSizes.all.map { Units.text(bytes: $0.bytes).replacing(".00", with: "") }
      table.add([about.name, sizes.joined(separator: " "), about.walk])
    }
    table.print()
    Terminal.print("")
    for driver in drivers { Terminal.print("\(driver.description.name): \(driver.description.summary)") }
    return 0
  }
}
