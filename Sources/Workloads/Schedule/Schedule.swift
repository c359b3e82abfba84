// SPDX-License-Identifier: MIT
public import Events

/// Decides in which order the processes of a run go on. It sees every item, never an access.
///
/// The rule: of all processes that can go on, the one born last runs. A process cannot go on while its next
/// item contradicts what the others have done so far (see `Condition`); when none can, the one born last
/// goes on anyway.
@usableFromInline final class Schedule {
  var processes: [ProcessState] = []
  var indices: [UInt32: Int] = [:]
  /// Born processes that have not ended, in order of birth.
  var live: [Int] = []
  /// Bytes in each pipe of the run.
  var pipes: [UInt64] = []
  /// Born, but not yet run.
  var newborn: Set<Int> = []
  private var births = 0
  private var running: (process: UInt32, thread: UInt32)?
  /// Children that the run made and that no file describes.
  var untracedChildren = 0

  /// What to do after an item.
  @usableFromInline struct Verdict {
    /// What to tell the sink, in order.
    @usableFromInline var events: [TraceEvent] = []
    /// Another process may have to run now.
    @usableFromInline var mayYield = false
    /// The item contradicts the rest of the run.
    @usableFromInline var problem: TraceError.Problem?
  }

  init(_ files: [(process: UInt32, parent: UInt32?)]) {
    for (process, parent) in files {
      indices[process] = processes.count
      processes.append(ProcessState(process: process, parentHint: parent))
    }
  }

  /// The process to run now, and whether it runs for the first time; nil when all have ended.
  @usableFromInline func next() -> (index: Int, isFirst: Bool)? {
    // Twice: the proof that a cut file was killed may turn up behind that file in the list.
    for _ in 0..<2 {
      for index in live.reversed() where canGoOn(index) { return (index, newborn.remove(index) != nil) }
    }
    if let last = live.last {
      processes[last].isReleased = true
      return (last, false)
    }
    let unborn = processes.indices.filter { processes[$0].birth == nil }
    let roots = unborn.filter { index in processes[index].parentHint.flatMap { indices[$0] } == nil }
    guard
      let root = (roots.isEmpty ? unborn : roots).min(by: { processes[$0].process < processes[$1].process })
    else { return nil }
    bear(root)
    return (root, true)
  }

  func bear(_ index: Int) {
    births += 1
    processes[index].birth = births
    live.append(index)
  }

  private func canGoOn(_ index: Int) -> Bool {
    guard let held = processes[index].held, !processes[index].isReleased else { return true }
    return isMet(held.until, for: index)
  }

  /// The events with which process `index` enters the scene.
  @usableFromInline func enter(_ index: Int, _ opening: ProcessOpening) -> [TraceEvent] {
    let process = processes[index].process
    var events: [TraceEvent] = []
    if processes[index].isRoot {
      events.append(.start(process: process, isFreshImage: opening == .freshImage))
    }
    events += run(process, process)
    if !processes[index].isRoot && opening == .freshImage {
      processes[index].files.forgetPipes()
      events.append(.exec)
    }
    return events
  }

  /// The switch to a thread, if another ran.
  func run(_ process: UInt32, _ thread: UInt32) -> [TraceEvent] {
    if let running, running == (process, thread) { return [] }
    running = (process, thread)
    return [.run(process: process, thread: thread)]
  }

  /// The switch to a process about to go on with accesses: its thread is the one that ran last.
  @usableFromInline func resume(_ index: Int) -> [TraceEvent] {
    if running?.process == processes[index].process { return [] }
    return run(processes[index].process, processes[index].lastThread)
  }

  /// Takes back the item on which process `index` was held.
  @usableFromInline func takeHeld(_ index: Int) -> ProcessItem? {
    guard let held = processes[index].held else { return nil }
    processes[index].held = nil
    return held.item
  }
}
