// SPDX-License-Identifier: MIT
public import VMM

/// The size of a base page.
let page: UInt64 = 4096
/// The size of a huge page.
let huge: UInt64 = 2 << 20

/// A running program of a scenario: what it calls, loads and stores, and what is expected of that.
///
/// Calls throw the errno that they are refused with. A body lets it pass where the call must succeed, and wraps the call
/// in `expectErrno` where it must not. Expectations never throw: what is wrong is recorded, and the body goes on.
public final class Program {
  /// The scenario that it is part of.
  public let scenario: Scenario
  /// Its number.
  public let pid: UInt32
  /// The CPU that it runs on. A program may be moved between any two accesses.
  public var cpu = 0

  init(_ scenario: Scenario, _ pid: UInt32) {
    self.scenario = scenario
    self.pid = pid
  }

  /// The machine.
  public var host: any ScenarioHost { scenario.host }
  /// What an administrator can do.
  public var administration: any Administration { scenario.host.administration }
  /// Marks log lines of other processes than the first.
  private var mark: String { pid == 1 ? "" : "[\(pid)] " }

  /// Adds a line to the scenario's log.
  public func note(_ text: String) { scenario.note(mark + text) }
  func note(_ kind: String, _ address: UInt64, _ result: String) {
    scenario.note(mark + kind, address, result)
  }

  /// Any system call, with named arguments: `call(.munlock, ["address": at, "bytes": 4096])`.
  /// - Throws: what it is refused with.
  @discardableResult
  public func call(
    _ number: SystemCallNumber, _ arguments: KeyValuePairs<String, any CallArgument> = [:],
    strings: [Int: String] = [:]
  ) throws(Errno) -> UInt64 {
    let words = arguments.enumerated().map { index, argument in
      "\(argument.key): " + (strings[index].map { "\"\($0)\"" } ?? argument.value.text)
    }
    let text = "\(number)(\(words.joined(separator: ", ")))"
    do {
      let request = SystemCallRequest(number, arguments.map(\.value.register), strings: strings)
      let result = try host.call(pid, on: cpu, request)
      note("\(text) = \(result.text)")
      return result
    } catch {
      note("\(text) = \(error.name)")
      throw error
    }
  }

  /// Something that is no system call here, in the log.
  @discardableResult
  func act<Value>(_ text: String, _ body: () throws(Errno) -> Value) throws(Errno) -> Value {
    do {
      let value = try body()
      note(text)
      return value
    } catch {
      note("\(text) = \(error.name)")
      throw error
    }
  }

  /// Nothing usable can follow: records it and ends the body by being thrown.
  public func stop(_ expected: String, _ got: String) -> ScenarioStop {
    scenario.fail(expected, got)
    return ScenarioStop()
  }
}
