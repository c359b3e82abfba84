// SPDX-License-Identifier: MIT
import Glibc

/// Runs bodies on threads of their own, so that spinning on a lock cannot starve the one that holds it.
///
/// SAFETY: each thread takes over exactly one retained box, and is joined before this returns.
func inParallel(_ bodies: [@Sendable () -> Void]) {
  final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var threads: [pthread_t] = []
  for body in bodies {
    var thread = pthread_t()
    let box = unsafe Unmanaged.passRetained(Box(body)).toOpaque()
    let status = unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
        return nil
      }, box)
    precondition(status == 0, "no thread")
    threads.append(thread)
  }
  for thread in threads { _ = pthread_join(thread, nil) }
}
