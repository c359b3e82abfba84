// SPDX-License-Identifier: MIT
internal import Workloads

/// `emt convert`.
enum ConvertCommand: Command {
  static var syntax: CommandSyntax {
    CommandSyntax(
      name: "convert", usage: "convert TRACE… -o FILE",
      summary: "Writes valgrind's text traces of a run as one compact .emtrace file.",
      options: [CommandSyntax.Option(name: "-o", value: "FILE", help: "the trace to write")],
      examples: [("emt convert run/ -o run.emtrace", "all processes whose files are in the folder")])
  }

  static func run(_ words: [String], drivers: [Driver]) throws(CommandFailure) -> Int32 {
    let arguments = try Arguments(words, syntax)
    guard let output = arguments.value("-o") else { throw .usage("emt convert: -o FILE is missing") }
    guard !arguments.operands.isEmpty else {
      throw .usage("emt convert: no trace named; usage: emt \(syntax.usage)")
    }
    do {
      var input = try TraceInput.open(paths: arguments.operands)
      let total = input.totalBytes
      let report = CommonOptions.progress("converting")
      input.onProgress { report($0, total) }
      var writer = try EmtraceWriter(path: output)
      do { try input.run(into: &writer) } catch {
        switch error {
        case .trace(let error), .sink(let error): throw error
        }
      }
      try writer.finish(untracedChildren: input.untracedChildren)
      Terminal.progress("")
      Terminal.complain(
        "\(output): \(Units.text(bytes: writer.bytesWritten)) for \(Units.grouped(writer.totals.accesses)) accesses"
      )
    } catch let error as TraceError {
      throw .usage(error.description)
    } catch {
      throw .failed("\(error)")
    }
    return 0
  }
}
