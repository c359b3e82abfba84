// SPDX-License-Identifier: MIT
public import Events
public import SimMemory

/// What one process's trace says besides plain accesses, before the processes of a run are put in order.
public enum ProcessItem: Sendable, Equatable {
  /// An access that shares its line with something else.
  case access(AccessKind, VirtualAddress, size: UInt32)
  /// A finished system call of thread `thread` (valgrind's number; the first thread is 1).
  case call(SystemCallRecord, thread: UInt32)
  /// The kernel refused an access.
  case refused(Refusal)
  /// The kernel grew the stack.
  case stackGrown(faultAddress: VirtualAddress, base: VirtualAddress)
  /// A signal from elsewhere is about to be delivered; `sent`: another process or thread sent it on purpose.
  case signal(UInt32, sent: Bool)
  /// The process replaced its image and goes on in the same file.
  case exec
  /// The file ends. `isComplete`: the process ended by itself, or left for an image that is not traced.
  case end(isComplete: Bool)
  /// Nothing more for now, of a file that is still being written. Only a recorder sees this.
  case starved
}

/// How the file of a process begins.
public enum ProcessOpening: UInt8, Sendable {
  /// In the child of a fork.
  case afterFork
  /// With a program's first instruction.
  case freshImage
  /// No way to tell.
  case unknown
}

/// One process's part of a run, read in its own order.
public protocol ProcessSource: AnyObject {
  /// The process's number.
  var process: UInt32 { get }
  /// For messages: the file, and the place that was read last.
  func place() -> (file: String, place: TraceError.Place)
  /// Reads up to the first record.
  func opening() throws(TraceError) -> ProcessOpening
  /// Feeds accesses to `sink` until something else comes up.
  func next<Sink: EventSink>(into sink: inout Sink) throws(FeedFailure<Sink.Stop>) -> ProcessItem
}
