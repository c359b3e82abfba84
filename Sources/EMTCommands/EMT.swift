// SPDX-License-Identifier: MIT
internal import Foundation
internal import Glibc

/// The command-line tool.
public enum EMT {
  /// Runs the command that the program's arguments name, on `drivers`, and ends the program with its status.
  public static func main(drivers: [Driver] = Driver.builtIn) -> Never {
    signal(SIGPIPE, SIG_IGN)
    Glibc.exit(run(Array(CommandLine.arguments.dropFirst()), drivers: drivers))
  }

  /// Runs a command.
  /// - Returns: the exit status: 0, 1 when the run found failures, 2 for wrong usage or bad input.
  public static func run(_ words: [String], drivers: [Driver] = Driver.builtIn) -> Int32 {
    do {
      return try dispatch(words, drivers: drivers)
    } catch {
      Terminal.progress("")
      Terminal.complain(error.message.split(separator: "\n").joined(separator: " "))
      return error.status
    }
  }

  static var commands: [any Command.Type] {
    [
      CompareCommand.self, ReplayCommand.self, RecordCommand.self, ConvertCommand.self, DriversCommand.self,
      ConformanceCommand.self, FuzzCommand.self, BenchCommand.self, CalibrateCommand.self,
    ]
  }

  private static func dispatch(_ words: [String], drivers: [Driver]) throws(CommandFailure) -> Int32 {
    guard let first = words.first else { return try CompareCommand.run([], drivers: drivers) }
    switch first {
    case "--help", "-h", "help": return help(Array(words.dropFirst()))
    case "--version": Terminal.print("emt \(version)")
    default:
      guard let command = commands.first(where: { $0.syntax.name == first }) else {
        let near = Spelling.nearest(to: first, in: commands.map { $0.syntax.name })
        let hint = near.map { "did you mean '\($0)'?" } ?? "see 'emt --help'"
        throw .usage("emt: unknown command '\(first)'; \(hint)")
      }
      let rest = Array(words.dropFirst())
      if rest.contains("--help") || rest.contains("-h") { return help([first]) }
      return try command.run(rest, drivers: drivers)
    }
    return 0
  }

  /// The version of the tool.
  static var version: String { "0.1.0" }
}

/// One command of the tool.
protocol Command {
  /// What it understands.
  static var syntax: CommandSyntax { get }
  /// Runs it.
  /// - Returns: the exit status.
  static func run(_ words: [String], drivers: [Driver]) throws(CommandFailure) -> Int32
}
