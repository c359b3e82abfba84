// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Scenarios
internal import SimMemory
internal import VMM

/// A program on the simulated kernel, with the answers that the host's kernel would give to the same steps.
final class HostProgram {
  private let host: any ScenarioHost
  private let features: HostFeatures
  /// The simulated processes of the program's.
  private var pids: [UInt32: UInt32] = [:]
  /// The steps that made files.
  private var labels: [FileID: Int32] = [:]
  private var nextPid: UInt32

  /// A program on a booted machine; `firstPid` and the numbers behind it are free.
  init(_ host: any ScenarioHost, _ features: HostFeatures, firstPid: UInt32) {
    self.host = host
    self.features = features
    nextPid = firstPid
  }

  /// Runs the steps, and ends all processes.
  /// - Returns: the answers, and a number from which on process numbers are free.
  func run(_ steps: [HostStep]) throws(Errno) -> (answers: [HostAnswer], nextPid: UInt32) {
    try host.start(takePid(0))
    var answers: [HostAnswer] = []
    for (index, step) in steps.enumerated() {
      var answer = HostAnswer()
      guard let pid = pids[step.process] else { preconditionFailure("process \(step.process) does not live") }
      do { answer.outcome = try perform(step, pid, Int32(index)) } catch {
        answer.outcome = .refused(error.rawValue)
      }
      if step.action != .exit { look(pid, &answer) }
      answers.append(answer)
    }
    for pid in pids.values.sorted(by: >) { host.exit(pid) }
    return (answers, nextPid)
  }

  /// The steps that living processes can do, so that shortened programs stay programs.
  static func valid(_ steps: [HostStep]) -> [HostStep] {
    var living: Set<UInt32> = [0]
    var parents: [UInt32: UInt32] = [:]
    return steps.filter { step in
      guard living.contains(step.process) else { return false }
      switch step.action {
      case .fork(let child):
        guard parents[child] == nil, child != 0 else { return false }
        parents[child] = step.process
        living.insert(child)
      case .exit:
        // Only those without living children: a parent has to be there to wait for its child's end.
        guard step.process != 0, !living.contains(where: { parents[$0] == step.process }) else {
          return false
        }
        living.remove(step.process)
      default: break
      }
      return true
    }
  }

  private func takePid(_ process: UInt32) -> UInt32 {
    defer { nextPid += 1 }
    pids[process] = nextPid
    return nextPid
  }

  private func perform(_ step: HostStep, _ pid: UInt32, _ label: Int32) throws(Errno) -> HostAnswer.Outcome {
    switch step.action {
    case .call(let number, let arguments): return try call(number, arguments, pid, label)
    case .load(let address): return access(pid, .load, address, 0)
    case .store(let address, let value): return access(pid, .store, address, value)
    case .fork(let child): try host.fork(pid, child: takePid(child))
    case .exit:
      host.exit(pid)
      pids[step.process] = nil
    case .readFile(let file, let offset, let count):
      let open = try openFile(pid, file)
      let bytes = try host.readFile(open.file, at: offset, count: count)
      return .result(Int64(bytes.count), digest: HostProgram.digest(bytes))
    case .writeFile(let file, let offset, let count, let value):
      let open = try openFile(pid, file)
      let seals = host.files[open.file].seals
      if !seals.isDisjoint(with: [.write, .futureWrite]) { throw .eperm }
      if seals.contains(.grow), offset + count > host.files[open.file].size { throw .eperm }
      try host.writeFile(
        open.file, at: offset, (0..<count).map { value &+ UInt8(truncatingIfNeeded: $0) })
      return .result(Int64(count), digest: 0)
    case .fileSize(let file):
      return .result(Int64(host.files[try openFile(pid, file).file].size), digest: 0)
    case .look: break
    case .moveBytes(let file, let address, let count, let offset, let isRead):
      let moved = try host.moveFileBytes(
        pid, UInt32(truncatingIfNeeded: file), address, count: count, at: offset, isRead ? .store : .load)
      return .result(Int64(moved), digest: 0)
    }
    return .result(0, digest: 0)
  }

  private func openFile(_ pid: UInt32, _ file: UInt64) throws(Errno) -> OpenFile {
    guard let open = host.openFile(pid, UInt32(truncatingIfNeeded: file)) else { throw .ebadf }
    return open
  }

  private func access(
    _ pid: UInt32, _ kind: AccessKind, _ address: UInt64, _ value: UInt8
  ) -> HostAnswer.Outcome {
    switch host.access(pid, on: 0, kind, address, value) {
    case .byte(let byte): .result(kind == .load ? Int64(byte) : 0, digest: 0)
    case .refused(let refusal): .signal(refusal.isBusError ? 7 : 11, code: Int32(refusal.code))
    case .outOfMemory, .waits, .endless: .missing
    }
  }

  private func call(
    _ number: SystemCallNumber, _ arguments: [UInt64], _ pid: UInt32, _ label: Int32
  ) throws(Errno) -> HostAnswer.Outcome {
    var request = SystemCallRequest(number, arguments, strings: number == .memfdCreate ? [0: "memory"] : [:])
    if number == .mremap, !features.contains(.severalMoves) { request.circumstances.refusal = .efault }
    let hasOwnVector = number == .mincore && request.arguments[2] == 0
    if hasOwnVector {
      // The checks of the vector need one that is there: an address that no kernel accepts would hide the others.
      return try residency(request, pid)
    }
    let result = try host.call(pid, on: 0, request)
    if number == .memfdCreate, let open = host.openFile(pid, UInt32(result)) { labels[open.file] = label }
    if number == .mmap, request.arguments[3] & 0x21 == 0x21 {
      // The number of a file that is gone may be used again.
      for area in host.layout(pid).areas.overlapping(VirtualRange(VirtualAddress(result), bytes: 1)) {
        labels[area.file] = nil
      }
    }
    if number == .mmap || number == .mremap, !HostProgram.isInWindow(result) {
      let length = request.arguments[number == .mmap ? 1 : 2]
      _ = try host.call(pid, on: 0, SystemCallRequest(.munmap, [result, length]))
      return .elsewhere
    }
    return .result(Int64(bitPattern: result), digest: 0)
  }

  /// mincore, with a page elsewhere for the answer, which is gone again afterwards.
  private func residency(_ request: SystemCallRequest, _ pid: UInt32) throws(Errno) -> HostAnswer.Outcome {
    var request = request
    let vector = try host.call(pid, on: 0, SystemCallRequest(.mmap, [0, 4096, 3, 0x22, .max, 0]))
    request.arguments[2] = vector
    var refusal: Errno?
    do { _ = try host.call(pid, on: 0, request) } catch { refusal = error }
    _ = try host.call(pid, on: 0, SystemCallRequest(.munmap, [vector, 4096]))
    if let refusal { throw refusal }
    let pages = (request.arguments[1] + 4095) >> 12
    let bits = (0..<pages).map { page in
      let address = VirtualAddress(request.arguments[0] + page << 12)
      return UInt8(host.residentPages(pid, VirtualRange(page: address, .base)))
    }
    return .result(0, digest: HostProgram.digest(bits))
  }

  private static func isInWindow(_ address: UInt64) -> Bool {
    address >= HostWindow.start && address < HostWindow.start + HostWindow.bytes
  }

  private static func digest(_ bytes: [UInt8]) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  private func look(_ pid: UInt32, _ answer: inout HostAnswer) {
    answer.areas = host.memoryUse(pid).map { area, use in
      var found = HostArea(start: area.range.start.raw, end: area.range.end.raw)
      found.rights = UInt32(area.rights.rawValue) | (area.flags.contains(.shared) ? 8 : 0)
      found.file = area.file == .none ? -1 : labels[area.file] ?? -2
      found.offset = area.file == .none ? 0 : area.offset
      found.flags = area.hostFlags
      (found.resident, found.anonymous) = (use.resident, use.anonymous)
      return found
    }
    let window = VirtualRange(VirtualAddress(HostWindow.start), bytes: HostWindow.pages << 12)
    answer.pages = host.pageMap(pid, window).map { entry in
      var page: HostPage = []
      if entry.isPresent { page.insert(.present) }
      if entry.isSwapped { page.insert(.swapped) }
      if entry.isFilePage { page.insert(.file) }
      if entry.isExclusive { page.insert(.exclusive) }
      return page
    }
  }
}
