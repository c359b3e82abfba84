// SPDX-License-Identifier: MIT
public import SimMemory

/// The part of one CPU's hardware that finds translations in tables in memory.
///
/// A walker is a copyable handle; what it remembers between walks (walk caches) lies behind pointers that
/// `SimulatedMMU` has released. It reads table words as atomics, because other CPUs change them meanwhile, and
/// sets accessed and dirty bits by compare-and-exchange, only where they are missing; when the word changed
/// in between, it looks at the new one. One walker belongs to one CPU: calls never overlap.
public protocol PageWalker: Sendable {
  /// The registers that a walk starts from.
  associatedtype Root: Sendable & BitwiseCopyable
  /// Sizes and costs of the walker's own structures.
  associatedtype Configuration: Sendable

  /// The configuration that is used when nobody asks for another.
  static var standardConfiguration: Configuration { get }

  /// The tag of the address space that `root` belongs to.
  static func spaceID(of root: Root) -> UInt16

  /// A walker over `memory`, which it reads in the name of `.hardware`.
  init(memory: PhysicalMemory, configuration: Configuration)

  /// Looks `address` up for an access, sets accessed and dirty bits, and uses and fills walk caches.
  ///
  /// Words on the way to the leaf are marked accessed as they are passed; the leaf is marked only when the
  /// access is allowed (Intel SDM vol. 3A §4.8).
  func walk<Recorder: WalkRecorder>(
    _ root: Root, _ address: VirtualAddress, _ access: AccessKind, isUser: Bool, recorder: inout Recorder
  ) -> WalkResult

  /// What `walk` would find with empty walk caches, without a trace: sets no bits, fills no caches.
  ///
  /// The outcome equals the walk's (a store's translation says dirty); nothing but the outcome and the
  /// number of references means anything. Reads no mutable state of the walker, so any thread may call it.
  func probe<Recorder: WalkRecorder>(
    _ root: Root, _ address: VirtualAddress, _ access: AccessKind, isUser: Bool, recorder: inout Recorder
  ) -> WalkResult

  /// Forgets what walk caches say about `range` of one address space; nil is the whole space.
  func invalidate(spaceID: UInt16, range: VirtualRange?)

  /// Forgets what walk caches say about `range` of every address space; nil is everything.
  func invalidateEveryone(range: VirtualRange?)

  /// Frees the walker's state. `SimulatedMMU` calls it once, after the last walk.
  func release()
}

extension PageWalker {
  /// Nothing to forget without walk caches.
  @inlinable public func invalidate(spaceID: UInt16, range: VirtualRange?) {}
  /// Nothing to forget without walk caches.
  @inlinable public func invalidateEveryone(range: VirtualRange?) {}
  /// Nothing to free without walk caches.
  @inlinable public func release() {}

  /// `walk` without a recorder.
  @inlinable public func walk(
    _ root: Root, _ address: VirtualAddress, _ access: AccessKind, isUser: Bool
  ) -> WalkResult {
    var recorder = NoRecorder()
    return walk(root, address, access, isUser: isUser, recorder: &recorder)
  }

  /// `probe` without a recorder.
  @inlinable public func probe(
    _ root: Root, _ address: VirtualAddress, _ access: AccessKind, isUser: Bool
  ) -> WalkResult {
    var recorder = NoRecorder()
    return probe(root, address, access, isUser: isUser, recorder: &recorder)
  }
}
