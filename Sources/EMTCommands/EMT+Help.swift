// SPDX-License-Identifier: MIT

extension EMT {
  /// Prints the help of one command, or the list of commands.
  static func help(_ words: [String]) -> Int32 {
    if let name = words.first, let command = commands.first(where: { $0.syntax.name == name }) {
      show(command.syntax)
    } else {
      showCommands()
    }
    return 0
  }

  private static func showCommands() {
    Terminal.print("emt: what a translation architecture costs the operating system")
    Terminal.print("")
    Terminal.print("usage: emt [COMMAND] [OPTIONS]    without a command: emt compare")
    Terminal.print("")
    let width = commands.map { $0.syntax.name.count }.max() ?? 0
    for command in commands {
      let name = command.syntax.name
      let pad = String(repeating: " ", count: width - name.count)
      Terminal.print("  \(name)\(pad)  \(command.syntax.summary)")
    }
    Terminal.print("")
    Terminal.print("'emt COMMAND --help' explains a command.")
  }

  private static func show(_ syntax: CommandSyntax) {
    Terminal.print("usage: emt \(syntax.usage)")
    Terminal.print("")
    Terminal.print(syntax.summary)
    if !syntax.options.isEmpty { Terminal.print("") }
    let spelt = syntax.options.map { $0.name + ($0.value.map { " " + $0 } ?? "") }
    let width = spelt.map(\.count).max() ?? 0
    for (option, name) in zip(syntax.options, spelt) {
      Terminal.print("  \(name)\(String(repeating: " ", count: width - name.count))  \(option.help)")
    }
    guard !syntax.examples.isEmpty else { return }
    Terminal.print("")
    Terminal.print("examples:")
    for example in syntax.examples { Terminal.print("  \(example.command)\n      \(example.does)") }
  }
}
