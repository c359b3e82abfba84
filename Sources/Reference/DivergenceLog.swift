// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory
internal import Synchronization

/// One call of a database function, as a divergence report lists it.
public struct ShadowedCall: Sendable, CustomStringConvertible {
  /// The function.
  public let name: StaticString
  /// The address space.
  public let space: AddressSpaceID
  /// The addresses that it was about.
  public let range: VirtualRange
  /// The object that was passed.
  public let object: ModelObject?

  @inlinable init(name: StaticString, space: AddressSpaceID, range: VirtualRange, object: ModelObject?) {
    self.name = name
    self.space = space
    self.range = range
    self.object = object
  }

  /// Function, address space, range and object in one line.
  public var description: String {
    "space \(space.raw): \(name) \(range)" + (object.map { " [\($0.summary)]" } ?? "")
  }
}

/// The first time that a driver and the model disagreed.
public struct Divergence: Sendable, CustomStringConvertible {
  /// What the contract says should have happened.
  public let expected: String
  /// What the driver did.
  public let got: String
  /// The calls up to the one that diverged, oldest first.
  public let calls: [ShadowedCall]

  /// The difference and the calls, one a line.
  public var description: String {
    (["expected \(expected)", "got      \(got)", "after"] + calls.map { "  \($0)" }).joined(separator: "\n")
  }
}

/// What the databases of one shadowed service write their calls and their first divergence into.
public final class DivergenceLog: Sendable {
  private struct Contents {
    var calls: [ShadowedCall] = []
    var oldest = 0
    var divergence: Divergence?
  }
  private let contents = Mutex(Contents())
  private let isDiverged = Atomic<Bool>(false)
  /// How many calls are remembered.
  public let capacity: Int

  /// A log that remembers the last `capacity` calls.
  public init(capacity: Int = 64) { self.capacity = capacity }

  /// The first divergence; nil while all is well.
  public var divergence: Divergence? { contents.withLock { $0.divergence } }

  /// Whether anything differed so far.
  public var hasDivergence: Bool { isDiverged.load(ordering: .acquiring) }

  @usableFromInline func note(_ call: ShadowedCall) {
    contents.withLock { contents in
      if contents.calls.count < capacity {
        contents.calls.append(call)
      } else {
        contents.calls[contents.oldest] = call
        contents.oldest = (contents.oldest + 1) % capacity
      }
    }
  }

  /// Notes a difference that a caller found; only the first one counts.
  public func report(expected: String, got: String) {
    contents.withLock { contents in
      guard contents.divergence == nil else { return }
      let calls = contents.calls[contents.oldest...] + contents.calls[..<contents.oldest]
      isDiverged.store(true, ordering: .releasing)
      contents.divergence = Divergence(expected: expected, got: got, calls: Array(calls))
    }
  }
}
