// SPDX-License-Identifier: MIT

/// What a command understands.
struct CommandSyntax {
  /// One option.
  struct Option {
    /// The name with its dashes.
    var name: String
    /// What its value is called; nil when it takes none.
    var value: String?
    /// One line of explanation.
    var help: String
  }
  /// The command's name.
  var name: String
  /// The line behind "usage:".
  var usage: String
  /// What the command does, one line.
  var summary: String
  /// The options.
  var options: [Option] = []
  /// Commands that a newcomer can copy, each with what it does.
  var examples: [(command: String, does: String)] = []
  /// Whether everything behind `--` (or the first operand) belongs to another program.
  var takesProgram = false
}

/// The words behind a command, taken apart.
struct Arguments {
  private(set) var operands: [String] = []
  private(set) var program: [String] = []
  private var values: [String: [String]] = [:]
  private var flags: Set<String> = []

  /// Takes `words` apart.
  /// - Throws: wrong usage, with a suggestion for misspelt options.
  init(_ words: [String], _ syntax: CommandSyntax) throws(CommandFailure) {
    var index = 0
    while index < words.count {
      let word = words[index]
      index += 1
      if word == "--" {
        if syntax.takesProgram { program = Array(words[index...]) } else { operands += words[index...] }
        return
      }
      guard word.hasPrefix("-"), word != "-" else {
        operands.append(word)
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard let option = syntax.options.first(where: { $0.name == parts[0] }) else {
        throw Arguments.unknown(parts[0], syntax)
      }
      guard option.value != nil else {
        if parts.count > 1 { throw .usage("emt \(syntax.name): \(option.name) takes no value") }
        flags.insert(option.name)
        continue
      }
      if parts.count > 1 {
        values[option.name, default: []].append(parts[1])
      } else {
        guard index < words.count else {
          throw .usage(
            "emt \(syntax.name): \(option.name) needs a value: \(option.name) \(option.value ?? "")")
        }
        values[option.name, default: []].append(words[index])
        index += 1
      }
    }
  }

  /// Whether a flag was given.
  func has(_ name: String) -> Bool { flags.contains(name) }

  /// An option's value, the last one where it was given several times.
  func value(_ name: String) -> String? { values[name]?.last }

  /// All values of an option that may be given several times.
  func values(_ name: String) -> [String] { values[name] ?? [] }

  private static func unknown(_ name: String, _ syntax: CommandSyntax) -> CommandFailure {
    let near = Spelling.nearest(to: name, in: syntax.options.map(\.name))
    let hint = near.map { "did you mean \($0)?" } ?? "see 'emt \(syntax.name) --help'"
    return .usage("emt \(syntax.name): unknown option '\(name)'; \(hint)")
  }
}
