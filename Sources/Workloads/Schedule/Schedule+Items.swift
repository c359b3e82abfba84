// SPDX-License-Identifier: MIT
import Events

extension Schedule {
  /// What item `item` of process `index` means for the sink and for the other processes.
  @usableFromInline func decide(_ item: ProcessItem, _ index: Int) -> Verdict {
    if let condition = condition(of: item, index), !processes[index].isReleased, !isMet(condition, for: index)
    {
      processes[index].held = (item, condition)
      return Verdict(mayYield: true)
    }
    processes[index].isReleased = false
    switch item {
    case .access, .starved: return Verdict()
    case .refused(let refusal): return Verdict(events: [.refused(refusal)])
    case .stackGrown(let address, let base):
      return Verdict(events: [.stackGrown(faultAddress: address, base: base)])
    case .exec:
      processes[index].files.forgetPipes()
      return Verdict(events: [.exec])
    case .signal(let signal, _):
      processes[index].sawSignalNote = true
      processes[index].signals[signal] = max(0, processes[index].signals[signal, default: 0] - 1)
      return Verdict()
    case .end:
      processes[index].hasEnded = true
      live.removeAll { $0 == index }
      return Verdict(events: [.exit], mayYield: true)
    case .call(let record, let thread):
      let threadID = processes[index].threadID(thread)
      processes[index].lastThread = threadID
      var verdict = Verdict(events: run(processes[index].process, threadID))
      verdict.events.append(.systemCall(record))
      if case .success(let value) = record.answer { effect(of: record, value, index, &verdict) }
      if record.number == 60 { processes[index].threads[thread] = nil }
      return verdict
    }
  }

  /// What must have happened elsewhere before `item`.
  private func condition(of item: ProcessItem, _ index: Int) -> Condition? {
    switch item {
    case .signal(let signal, sent: true): return .signal(signal)
    case .end(isComplete: false): return .killed
    case .call(let record, _):
      switch (record.number, record.answer) {
      case (61, .success(let child)) where child > 0: return .end(of: UInt32(truncatingIfNeeded: child))
      case (_, .failure(4)) where !processes[index].sawSignalNote: return .signal(nil)
      case (0, .success(let count)), (19, .success(let count)):
        guard case .readEnd(let pipe) = processes[index].files[record.argument(0)] else { return nil }
        return count == 0 ? .noWriter(pipe: pipe) : .bytes(count, pipe: pipe)
      default: return nil
      }
    default: return nil
    }
  }

  /// Whether `condition` holds for process `index`.
  func isMet(_ condition: Condition, for index: Int) -> Bool {
    let waiting = processes[index]
    if waiting.wasKilled { return true }
    switch condition {
    case .killed: return false
    case .signal(.some(let signal)): return waiting.signals[signal, default: 0] > 0
    case .signal(.none): return waiting.signals.values.contains { $0 > 0 }
    case .bytes(let count, let pipe): return pipes[pipe] >= count
    case .noWriter(let pipe):
      return !live.contains { $0 != index && processes[$0].files.canWrite(pipe: pipe) }
    case .end(let process):
      guard let child = indices[process], processes[child].birth != nil, !processes[child].hasEnded else {
        return true
      }
      // A file that just stops was cut by a kill that no other file shows: the wait is the proof.
      if processes[child].held?.until == .killed { processes[child].wasKilled = true }
      return false
    }
  }

  /// A signal that process `index` sent.
  func send(_ signal: UInt32, to target: UInt64) {
    let number = Int32(truncatingIfNeeded: target)
    let targets = number > 0 ? [indices[UInt32(number)]].compactMap { $0 } : live
    for target in targets {
      processes[target].signals[signal, default: 0] += 1
      if signal == 9 { processes[target].wasKilled = true }
    }
  }
}
