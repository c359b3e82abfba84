// SPDX-License-Identifier: MIT
import Events

extension Schedule {
  /// What a successful call of process `index` changes for the others.
  func effect(of record: SystemCallRecord, _ value: UInt64, _ index: Int, _ verdict: inout Verdict) {
    let first = record.argument(0)
    switch record.number {
    case 56, 57, 58: fork(record, child: UInt32(truncatingIfNeeded: value), index, &verdict)
    case 62, 200:
      send(UInt32(truncatingIfNeeded: record.argument(1)), to: first)
      verdict.mayYield = true
    case 234:
      send(UInt32(truncatingIfNeeded: record.argument(2)), to: first)
      verdict.mayYield = true
    case 0, 19:
      if case .readEnd(let pipe) = processes[index].files[first] { pipes[pipe] -= min(pipes[pipe], value) }
    case 1, 20:
      guard case .writeEnd(let pipe) = processes[index].files[first] else { return }
      pipes[pipe] &+= min(value, 1 << 40)
      verdict.mayYield = true
    default: fileEffect(of: record, value, index, &verdict)
    }
  }

  private func fork(_ record: SystemCallRecord, child: UInt32, _ index: Int, _ verdict: inout Verdict) {
    let kind = Self.kind(of: record)
    if kind == .thread {
      processes[index].unclaimedThreads.append(child)
      verdict.events.append(.fork(child: child, kind: kind))
      return
    }
    guard let born = indices[child] else {
      untracedChildren += 1
      return
    }
    guard processes[born].birth == nil else {
      verdict.problem = .duplicateProcess(child)
      return
    }
    processes[born].isRoot = false
    processes[born].files = processes[index].files
    bear(born)
    newborn.insert(born)
    verdict.events.append(.fork(child: child, kind: kind))
    verdict.mayYield = true
  }

  /// How a clone, fork or vfork shares memory.
  static func kind(of record: SystemCallRecord) -> ForkKind {
    if record.number == 58 { return .borrow }
    guard record.number == 56, record.argument(0) & 0x100 != 0 else { return .copy }
    return record.argument(0) & 0x4000 != 0 ? .borrow : .thread
  }

  private func fileEffect(
    of record: SystemCallRecord, _ value: UInt64, _ index: Int, _ verdict: inout Verdict
  ) {
    let first = record.argument(0)
    switch record.number {
    case 2, 41, 43, 85, 213, 253, 257, 282, 283, 284, 288, 289, 290, 291, 294, 319, 434, 437:
      processes[index].files.opened(value)
    case 32: processes[index].files.opened(value, as: processes[index].files[first] ?? .other)
    case 33, 292: processes[index].files[value] = processes[index].files[first] ?? .other
    case 72 where record.argument(1) == 0 || record.argument(1) == 1030:
      processes[index].files[value] = processes[index].files[first] ?? .other
    case 3:
      processes[index].files[first] = nil
      verdict.mayYield = true
    case 22, 293:
      processes[index].files.openLowest(as: .readEnd(pipe: pipes.count))
      processes[index].files.openLowest(as: .writeEnd(pipe: pipes.count))
      pipes.append(0)
    case 53:
      processes[index].files.openLowest(as: .other)
      processes[index].files.openLowest(as: .other)
    default: break
    }
  }
}
