// SPDX-License-Identifier: MIT

/// Why a reader stopped before the end of its trace.
public enum FeedFailure<Stop: Error>: Error {
  /// The trace cannot be read.
  case trace(TraceError)
  /// The sink asked to stop.
  case sink(Stop)
}

extension FeedFailure: Equatable where Stop: Equatable {}

extension FeedFailure: CustomStringConvertible {
  /// What stopped the flow.
  public var description: String {
    switch self {
    case .trace(let error): error.description
    case .sink(let stop): "\(stop)"
    }
  }
}
