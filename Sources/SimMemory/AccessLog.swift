// SPDX-License-Identifier: MIT
internal import Synchronization

/// One recorded access to a table word.
public struct MemoryAccess: Sendable, Equatable {
  /// Reads or writes.
  public enum Kind: Sendable { case load, store }
  /// Who did it.
  public let agent: MemoryAgent
  /// What was done.
  public let kind: Kind
  /// The word's address.
  public let address: PhysicalAddress
  /// The word read, or the word that is there after a store.
  public let value: UInt64

  /// Describes an access; tests build the list that they expect from these.
  public init(_ agent: MemoryAgent, _ kind: Kind, _ address: PhysicalAddress, _ value: UInt64) {
    self.agent = agent
    self.kind = kind
    self.address = address
    self.value = value
  }
}

/// Records accesses to table words, and lets a test act after each of them ("single-step the stores").
///
/// Only debug builds call it: release builds pay nothing, and see an empty log.
public final class AccessLog: Sendable {
  private struct Contents {
    var accesses: [MemoryAccess] = []
    var observer: (@Sendable (MemoryAccess) -> Void)?
    var isInsideObserver = false
  }
  private let contents = Mutex(Contents())

  /// An empty log; attach it with `SimulatedMemory.attach(log:)`.
  /// - Parameter observer: called after each access. Accesses that it makes itself are not logged.
  public init(observer: (@Sendable (MemoryAccess) -> Void)? = nil) {
    contents.withLock { $0.observer = observer }
  }

  /// All accesses since the last `removeAll`, in order.
  public var accesses: [MemoryAccess] { contents.withLock { $0.accesses } }

  /// Forgets what was recorded.
  public func removeAll() { contents.withLock { $0.accesses = [] } }

  func record(_ access: MemoryAccess) {
    let observer: (@Sendable (MemoryAccess) -> Void)? = contents.withLock { contents in
      guard !contents.isInsideObserver else { return nil }
      contents.accesses.append(access)
      contents.isInsideObserver = contents.observer != nil
      return contents.observer
    }
    guard let observer else { return }
    observer(access)
    contents.withLock { $0.isInsideObserver = false }
  }
}
