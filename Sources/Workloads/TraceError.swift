// SPDX-License-Identifier: MIT

/// Why a trace cannot be read or written: where, what is wrong, and what to do about it.
public struct TraceError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file as the caller named it; `-` is standard input.
  public var file: String
  /// Where in the file.
  public var place: Place
  /// What is wrong there.
  public var problem: Problem

  /// A place in a trace file.
  public enum Place: Equatable, Sendable {
    /// The file as a whole.
    case whole
    /// A line of a text trace; the first is 1.
    case line(UInt64)
    /// A block of a compact trace (the first is 0) and the byte at which it begins.
    case block(UInt64, byte: UInt64)
  }

  /// Describes a problem.
  public init(file: String, place: Place = .whole, problem: Problem) {
    self.file = file
    self.place = place
    self.problem = problem
  }

  /// `FILE:PLACE: what is wrong; what to do`.
  public var description: String {
    switch place {
    case .whole: "\(file): \(problem)"
    case .line(let line): "\(file):\(line): \(problem)"
    case .block(let block, let byte): "\(file):block \(block) (byte \(byte)): \(problem)"
    }
  }
}
