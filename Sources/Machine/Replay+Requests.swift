// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Events
internal import MMU
internal import SimMemory
internal import VMM

extension Replay {
  /// A call of the trace as a request, with what the real kernel was free to choose.
  /// - Returns: nil when the call cannot be judged because its answer is not known.
  mutating func request(
    _ number: SystemCallNumber, _ record: SystemCallRecord, _ process: Process<Service.Database>
  ) throws(ReplayStop) -> SystemCallRequest? {
    var circumstances = Circumstances()
    switch record.answer {
    case .unknown: return nil
    case .failure(let code):
      let mayBeResource: Set<Errno> = [.enomem, .eagain, .enospc, .emfile, .enfile, .edquot]
      circumstances.refusal = Errno(rawValue: code)
      if let errno = circumstances.refusal, record.origin == .tracer || mayBeResource.contains(errno) {
        circumstances.verdict = errno
      }
    case .success(let result):
      circumstances.isAccepted = true
      choose(&circumstances, number, record, result)
      for range in provenRanges(number, record) { prove(range) }
      try makeRoom(number, record, result)
    }
    if number == .brk { try judgeBreak(&circumstances, record, process) }
    var request = SystemCallRequest(
      number, record.arguments, strings: record.strings, circumstances: circumstances)
    followChoice(of: record, &request)
    return request
  }

  /// Valgrind chooses addresses itself and asks Linux for exactly those, which changes what some flags mean.
  private mutating func followChoice(of record: SystemCallRecord, _ request: inout SystemCallRequest) {
    guard case .success(let result) = record.answer, result != record.argument(0) || request.number == .shmat
    else {
      return
    }
    switch request.number {
    case .mmap:
      // Valgrind does not know MAP_FIXED_NOREPLACE: the address is a mere wish.
      let fixed = request.arguments[3] & (MapFlags.fixed.rawValue | MapFlags.fixedNoReplace.rawValue)
      guard fixed == MapFlags.fixedNoReplace.rawValue else { return }
      request.arguments[3] &= ~MapFlags.fixedNoReplace.rawValue
    case .shmat:
      // SHM_REMAP without an address is refused by Linux, but valgrind gave it one.
      guard record.argument(1) == 0, record.argument(2) & 0o40000 != 0 else { return }
      request.arguments[1] = result
    default: return
    }
    tally.valgrindAnswers += 1
  }

  private func choose(
    _ circumstances: inout Circumstances, _ number: SystemCallNumber, _ record: SystemCallRecord,
    _ result: UInt64
  ) {
    switch number {
    case .mmap, .mremap, .shmat: circumstances.placement = VirtualAddress(result)
    case .memfdCreate, .shmget: circumstances.handle = result
    case .shmctl: circumstances.handle = result
    default: break
    }
  }

  /// What must have been mapped because the call succeeded.
  private func provenRanges(_ number: SystemCallNumber, _ record: SystemCallRecord) -> [VirtualRange] {
    let range = VirtualRange(VirtualAddress(record.argument(0)), bytes: record.argument(1))
    switch number {
    case .mprotect, .pkeyMprotect, .mlock, .mlock2, .munlock, .msync, .mseal, .madvise: return [range]
    case .mremap: return [VirtualRange(range.start, bytes: max(record.argument(1), 1))]
    case .mincore:
      return [range, VirtualRange(VirtualAddress(record.argument(2)), bytes: (range.bytes &+ 4095) >> 12)]
    default: return []
    }
  }

  /// A mapping whose address was free to choose does not hit anything: what was inferred there is gone.
  private mutating func makeRoom(_ number: SystemCallNumber, _ record: SystemCallRecord, _ result: UInt64)
    throws(ReplayStop)
  {
    guard let space else { return }
    let length: UInt64
    switch number {
    case .mmap:
      let isFixed = record.argument(3) & (MapFlags.fixed.rawValue | MapFlags.fixedNoReplace.rawValue) != 0
      if isFixed, result == record.argument(0) { return }
      length = record.argument(1)
    case .mremap:
      if result == record.argument(0) || record.argument(3) & 2 != 0 { return }
      length = record.argument(2)
    default: return
    }
    let target = VirtualRange(
      VirtualAddress(result), bytes: (length &+ PageSize.base.mask) & ~PageSize.base.mask)
    for area in space.layout.areas.overlapping(target) {
      if !area.flags.contains(.inferred) {
        tally.diverge("\(number) in process \(current.process?.pid ?? 0): Linux placed it over \(area.range)")
      }
      try discard(space, area.range.intersection(target))
    }
  }

  /// `brk` tells of a refusal by returning the old end.
  private mutating func judgeBreak(
    _ circumstances: inout Circumstances, _ record: SystemCallRecord, _ process: Process<Service.Database>
  ) throws(ReplayStop) {
    guard case .success(let result) = record.answer else { return }
    let layout = process.space.layout
    let growth = VirtualRange(layout.breakEnd, max(layout.breakEnd, VirtualAddress(result)))
    // Valgrind does not unmap what the break leaves behind, so a program may have used it since.
    let top = layout.breakEnd.advanced(by: PageSize.base.mask).aligned(down: .base)
    for area in layout.areas.overlapping(growth) where area.flags.contains(.inferred) {
      guard layout.breakStart != nil else { break }
      try discard(process.space, VirtualRange(max(top, area.range.start), area.range.end))
    }
    if layout.breakStart == nil { circumstances.placement = VirtualAddress(result) }
    let wish = record.argument(0)
    if wish != 0, result != wish, layout.breakStart != nil, result == layout.breakEnd.raw {
      circumstances.verdict = .enomem
    }
  }
}
