// SPDX-License-Identifier: MIT
import Events

/// What the schedule knows of one process of a run.
struct ProcessState {
  let process: UInt32
  /// The process that made it, where its file says so.
  let parentHint: UInt32?
  /// The place in the order of births; later runs first. Nil: not born yet.
  var birth: Int?
  /// An item that waits for something another process must do first.
  var held: (item: ProcessItem, until: Condition)?
  /// The held item may go on although its condition is not met: nothing else can.
  var isReleased = false
  var hasEnded = false
  /// No process of the run made it.
  var isRoot = true
  /// The thread that ran last.
  var lastThread: UInt32
  /// Signals that other processes have sent and that have not been delivered.
  var signals: [UInt32: Int] = [:]
  var sawSignalNote = false
  var wasKilled = false
  /// The process's threads: valgrind's number to the kernel's.
  var threads: [UInt32: UInt32]
  /// Threads made whose first sign of life has not come.
  var unclaimedThreads: [UInt32] = []
  var files = FileTable()

  init(process: UInt32, parentHint: UInt32?) {
    self.process = process
    self.parentHint = parentHint
    threads = [1: process]
    lastThread = process
  }

  /// The kernel's number of valgrind's thread `number`.
  mutating func threadID(_ number: UInt32) -> UInt32 {
    if let known = threads[number] { return known }
    let found = unclaimedThreads.isEmpty ? number : unclaimedThreads.removeFirst()
    threads[number] = found
    return found
  }
}

/// What a process waits for before it goes on.
enum Condition: Equatable {
  /// A signal sent by another process; nil: any.
  case signal(UInt32?)
  /// The end of a process of the run.
  case end(of: UInt32)
  /// That many bytes in a pipe.
  case bytes(UInt64, pipe: Int)
  /// No other process left that could write into the pipe.
  case noWriter(pipe: Int)
  /// Being killed: the file ends without an end.
  case killed
}
