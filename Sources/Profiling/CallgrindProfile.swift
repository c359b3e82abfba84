// SPDX-License-Identifier: MIT

/// One dump of callgrind, written with `--compress-strings=no --compress-pos=no`.
public struct CallgrindProfile: Sendable, Equatable {
  /// Instructions while collection was on.
  public private(set) var total: UInt64 = 0
  /// Instructions inside calls of each function, called ones included, and how many calls there were.
  public private(set) var calls: [String: Calls] = [:]
  /// Instructions of each function's own.
  public private(set) var own: [String: UInt64] = [:]

  /// Calls of one function from wherever it was called.
  public struct Calls: Sendable, Equatable {
    /// How many.
    public var count: UInt64 = 0
    /// Instructions inside them.
    public var instructions: UInt64 = 0
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
          calls[callee, default: Calls()].count += count
          calls[callee, default: Calls()].instructions += cost
          callCount = nil
        } else {
          own[function, default: 0] += cost
          total += cost
        }
      }
    }
  }

  /// Calls of all functions whose name `matches` says to be one of those wanted. They must not call each other.
  public func calls(where matches: (String) -> Bool) -> Calls {
    calls.reduce(into: Calls()) { sum, entry in
      guard matches(entry.key) else { return }
      sum.count += entry.value.count
      sum.instructions += entry.value.instructions
    }
  }
}
