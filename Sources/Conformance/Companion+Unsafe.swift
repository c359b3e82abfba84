// SPDX-License-Identifier: MIT
internal import Glibc
internal import Synchronization

/// Something that happened, as one thread tells another.
final class Signal: Sendable {
  private let isRaised = Atomic<Bool>(false)

  func raise() { isRaised.store(true, ordering: .releasing) }

  /// Waits at most `milliseconds`.
  /// - Returns: whether it was raised.
  func wait(milliseconds: Int) -> Bool {
    for _ in 0..<(milliseconds * 4) {
      if isRaised.load(ordering: .acquiring) { return true }
      usleep(250)
    }
    return isRaised.load(ordering: .acquiring)
  }
}

/// A second thread for checks of locks.
///
/// SAFETY: the box with the body is retained for the thread, which releases it.
struct Companion {
  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
  private let thread: pthread_t

  init(_ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let box = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
    let status = unsafe pthread_create(
      &thread, nil,
      { box in
        guard let box = unsafe box else { return nil }
        unsafe Unmanaged<Body>.fromOpaque(box).takeRetainedValue().run()
        return nil
      }, box)
    precondition(status == 0, "the host has no thread left")
    self.thread = thread
  }

  func join() { _ = pthread_join(thread, nil) }
}
