// SPDX-License-Identifier: MIT
import Synchronization

/// Adds up bytes and tells somebody now and then.
final class ProgressMeter: Sendable {
  private struct State {
    var bytes: UInt64 = 0
    var told: UInt64 = 0
    var body: (@Sendable (UInt64) -> Void)?
  }
  private let state = Mutex(State())

  func set(_ body: @escaping @Sendable (UInt64) -> Void) { state.withLock { $0.body = body } }

  func add(_ bytes: Int) {
    let call = state.withLock { state -> (@Sendable (UInt64) -> Void, UInt64)? in
      state.bytes += UInt64(bytes)
      guard let body = state.body, state.bytes - state.told >= 4 << 20 else { return nil }
      state.told = state.bytes
      return (body, state.bytes)
    }
    if let (body, bytes) = call { body(bytes) }
  }
}
