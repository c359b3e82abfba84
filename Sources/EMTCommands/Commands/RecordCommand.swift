// SPDX-License-Identifier: MIT
internal import Workloads

/// `emt record`.
enum RecordCommand: Command {
  static var syntax: CommandSyntax {
    CommandSyntax(
      name: "record", usage: "record -o FILE -- PROGRAM ARGS…",
      summary: "Runs a program under valgrind and keeps a compact trace of it and of its children.",
      options: [CommandSyntax.Option(name: "-o", value: "FILE", help: "the trace to write")],
      examples: [("emt record -o ls.emtrace -- ls -l", "then: emt compare ls.emtrace")], takesProgram: true)
  }

  static func run(_ words: [String], drivers: [Driver]) throws(CommandFailure) -> Int32 {
    let arguments = try Arguments(words, syntax)
    guard let output = arguments.value("-o") else { throw .usage("emt record: -o FILE is missing") }
    guard arguments.operands.isEmpty, !arguments.program.isEmpty else {
      throw .usage("emt record: name the program behind --: emt record -o \(output) -- PROGRAM ARGS…")
    }
    let result: Recorder.Result
    do { result = try Recorder(output: output, command: arguments.program).run() } catch {
      throw .usage(error.description)
    }
    Terminal.complain(
      "\(output): \(Units.text(bytes: result.traceBytes)) for \(Units.text(bytes: result.textBytes)) of valgrind's text; "
        + "the program ended with status \(result.status)")
    return 0
  }
}
