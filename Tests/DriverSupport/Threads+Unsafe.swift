// SPDX-License-Identifier: MIT
internal import Glibc

private final class Work: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Runs each body on a thread of its own, all at once, and waits for them: the task pool may be too small for that.
///
/// SAFETY: each box is retained for its thread, which takes it over.
public func onThreads(_ bodies: [@Sendable () -> Void]) {
  let threads = bodies.map { body in
    var thread = pthread_t()
    let box = unsafe Unmanaged.passRetained(Work(body)).toOpaque()
    let error = unsafe pthread_create(
      &thread, nil,
      { box in
        guard let box = unsafe box else { return nil }
        unsafe Unmanaged<Work>.fromOpaque(box).takeRetainedValue().body()
        return nil
      }, box)
    precondition(error == 0, "no thread")
    return thread
  }
  for thread in threads { pthread_join(thread, nil) }
}
