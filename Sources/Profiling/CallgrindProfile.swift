// SPDX-License-Identifier: MIT

/// One dump of callgrind, written with `--compress-strings=no --compress-pos=no`.
public struct CallgrindProfile: Sendable, Equatable {
  /// Instructions while collection was on.
  public private(set) var total: UInt64 = 0
  /// Instructions inside calls, called functions included, and how many calls there were, by caller and callee.
  public private(set) var arcs: [Arc: Calls] = [:]
  /// Instructions of each function's own.
  public private(set) var own: [String: UInt64] = [:]

  /// Who called whom.
  public struct Arc: Sendable, Hashable {
    /// The calling function's mangled name.
    public var caller: String
    /// The called function's mangled name.
    public var callee: String
  }

  /// Calls of one function.
  public struct Calls: Sendable, Equatable {
    /// How many.
    public var count: UInt64 = 0
    /// Instructions inside them.
    public var instructions: UInt64 = 0

    /// No calls.
    public init() {}
  }

  /// Reads a dump.
  public init(_ text: some StringProtocol) {
    var function = ""
    var callee = ""
    var callCount: UInt64?
    for line in text.split(separator: "\n") {
      if line.hasPrefix("fn=") {
        function = String(line.dropFirst(3))
      } else if line.hasPrefix("cfn=") {
        callee = String(line.dropFirst(4))
      } else if line.hasPrefix("calls=") {
        callCount = UInt64(line.dropFirst(6).prefix { $0 != " " }) ?? 0
      } else if let first = line.utf8.first, first >= 0x30, first <= 0x39 {
        let cost = line.split(separator: " ").dropFirst().first.flatMap { UInt64($0) } ?? 0
        if let count = callCount {
          let arc = Arc(caller: function, callee: callee)
          arcs[arc, default: Calls()].count += count
          arcs[arc, default: Calls()].instructions += cost
          callCount = nil
        } else {
          own[function, default: 0] += cost
          total += cost
        }
      }
    }
  }

  /// Calls of all functions whose name `matches` says to be one of those wanted, from functions that are not: a function
  /// that jumps into its twin, because the linker folded the two, is one call.
  public func calls(where matches: (String) -> Bool) -> Calls {
    arcs.reduce(into: Calls()) { sum, entry in
      guard matches(entry.key.callee), !matches(entry.key.caller) else { return }
      sum.count += entry.value.count
      sum.instructions += entry.value.instructions
    }
  }
}
