// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Machine
internal import Reference
internal import SimMemory
internal import VMM

/// How a call has to end.
struct PredictedEnd {
  /// The errno; nil for success.
  var failure: Errno?
  init(_ failure: Errno?) { self.failure = failure }
}

extension MemoryRig {
  /// How the model says that a call on existing pages ends; nil for calls whose ends only have to be equal on all
  /// drivers.
  func prediction(_ pid: UInt32, _ number: SystemCallNumber, _ arguments: [UInt64]) -> PredictedEnd? {
    let isAligned = arguments[0] & 4095 == 0
    let range = pages(arguments[0], arguments[1])
    func hasHole() -> Bool { firstPage(pid, in: range) { $0 == nil } < range.upperBound }
    func has(_ condition: (ModelPage) -> Bool) -> Bool {
      firstPage(pid, in: range) { $0.map(condition) ?? false } < range.upperBound
    }
    switch number {
    case .munmap:
      if !isAligned || arguments[1] == 0 { return PredictedEnd(.einval) }
      return PredictedEnd(has(\.isSealed) ? .eperm : nil)
    case .mprotect:
      if !isAligned { return PredictedEnd(.einval) }
      let rights = UInt8(truncatingIfNeeded: arguments[2] & 7)
      let stop = firstPage(pid, in: range) { stopsProtection($0, rights) }
      guard stop < range.upperBound else { return PredictedEnd(nil) }
      guard let page = model.page(pid, stop) else { return PredictedEnd(.enomem) }
      return PredictedEnd(rights & 2 != 0 && !page.mayWrite ? .eacces : .eperm)
    case .mlock, .mlock2:
      if number == .mlock2, arguments[2] > 1 { return PredictedEnd(.einval) }
      if hasHole() { return PredictedEnd(.enomem) }
      let mayWait = number == .mlock2 && arguments[2] == 1
      return PredictedEnd(mayWait || populatable(pid, range) == range.upperBound ? nil : .enomem)
    case .munlock: return PredictedEnd(hasHole() ? .enomem : nil)
    case .munlockall: return PredictedEnd(nil)
    case .mlockall: return PredictedEnd(arguments[0] == 4 ? .einval : nil)
    case .msync:
      if !isAligned { return PredictedEnd(.einval) }
      if arguments[2] & 2 != 0, has(\.isLocked) { return PredictedEnd(.ebusy) }
      return PredictedEnd(hasHole() ? .enomem : nil)
    case .mseal:
      if !isAligned { return PredictedEnd(.einval) }
      return PredictedEnd(hasHole() ? .enomem : nil)
    case .mincore:
      if !isAligned { return PredictedEnd(.einval) }
      if hasHole() { return PredictedEnd(.enomem) }
      return PredictedEnd(answerFits(pid, range, arguments[2]) ? nil : .efault)
    case .madvise: return advicePrediction(pid, arguments, range)
    case .ftruncate, .fallocate, .fcntl: return filePrediction(pid, number, arguments)
    default: return nil
    }
  }

  /// Whether `mprotect` stops at a page.
  func stopsProtection(_ page: ModelPage?, _ rights: UInt8) -> Bool {
    guard let page else { return true }
    return page.isSealed || rights & 2 != 0 && !page.mayWrite
  }

  private func advicePrediction(
    _ pid: UInt32, _ arguments: [UInt64], _ range: Range<UInt64>
  ) -> PredictedEnd? {
    guard let advice = Advice(rawValue: arguments[2]), advice != .collapse else { return nil }
    if arguments[0] & 4095 != 0 { return PredictedEnd(.einval) }
    if advice == .populateRead || advice == .populateWrite {
      let isStore = advice == .populateWrite
      let stop = firstPage(pid, in: range) { $0 == nil }
      for number in range.lowerBound..<stop {
        // Reading on behalf of the program needs PROT_READ itself.
        if !isStore, let page = model.page(pid, number), page.rights & 1 == 0 { return PredictedEnd(.einval) }
        switch model.verdict(pid, number, isStore: isStore) {
        case .allowed: continue
        case .notAllowed: return PredictedEnd(.einval)
        case .notMapped, .keyForbids, .beyondEndOfFile: return PredictedEnd(.efault)
        }
      }
      return PredictedEnd(stop < range.upperBound ? .enomem : nil)
    }
    var failure: Errno?
    model.processes[pid]?.forEach(in: range) { _, page in
      failure = refusal(of: advice, page)
      return failure == nil
    }
    if failure == nil, firstPage(pid, in: range, where: { $0 == nil }) < range.upperBound {
      failure = .enomem
    }
    return PredictedEnd(failure)
  }

  private func filePrediction(
    _ pid: UInt32, _ number: SystemCallNumber, _ arguments: [UInt64]
  ) -> PredictedEnd? {
    guard let file = file(pid, arguments[0]), let object = model.files[file] else {
      return PredictedEnd(.ebadf)
    }
    switch number {
    case .ftruncate:
      let count = (arguments[1] + 4095) >> 12
      if object.seals & 2 != 0, count < object.pageCount { return PredictedEnd(.eperm) }
      return PredictedEnd(object.seals & 4 != 0 && count > object.pageCount ? .eperm : nil)
    case .fallocate: return PredictedEnd(object.seals & 24 != 0 ? .eperm : nil)
    default:
      if object.seals & 1 != 0 { return PredictedEnd(.eperm) }
      guard arguments[2] & 8 != 0, object.seals & 8 == 0 else { return PredictedEnd(nil) }
      let isWritable = model.processes.values.contains { pages in
        var found = false
        pages.forEach { _, page in
          found = page.isShared && page.mayWrite && page.file?.number == file
          return !found
        }
        return found
      }
      return PredictedEnd(isWritable ? .ebusy : nil)
    }
  }

  /// Why a piece of advice stops at a page.
  func refusal(of advice: Advice, _ page: ModelPage) -> Errno? {
    let isRefused: Bool =
      switch advice {
      case .dontNeed, .cold, .pageOut, .guardInstall: page.isLocked
      case .free: page.isLocked || page.file != nil
      case .remove: page.isLocked || page.file == nil
      case .wipeOnFork: page.file != nil
      default: false
      }
    if isRefused { return .einval }
    if advice == .remove {
      if !page.isShared || !page.mayWrite { return .eacces }
      if let file = page.file, (model.files[file.number]?.seals ?? 0) & 24 != 0 { return .eperm }
    }
    let discards: Set<Advice> = [
      .dontNeed, .free, .remove, .wipeOnFork, .dontFork, .dontNeedLocked, .guardInstall,
    ]
    let isProtected = page.isSealed && page.file == nil && page.rights & 2 == 0
    return isProtected && discards.contains(advice) ? .eperm : nil
  }

  /// The first page in `range` that `condition` holds for, or that is missing if it holds for nil; else the end.
  func firstPage(
    _ pid: UInt32, in range: Range<UInt64>, where condition: (ModelPage?) -> Bool
  ) -> UInt64 {
    var (next, found) = (range.lowerBound, false)
    let stopsAtHoles = condition(nil)
    model.processes[pid]?.forEach(in: range) { number, page in
      if stopsAtHoles, number > next { return false }
      next = number
      found = condition(page)
      if !found { next += 1 }
      return !found
    }
    return found || stopsAtHoles ? next : range.upperBound
  }

  /// How far `range` can be brought in.
  func populatable(_ pid: UInt32, _ range: Range<UInt64>) -> UInt64 {
    range.first { number in
      guard let page = model.page(pid, number) else { return true }
      let isStore = !page.isShared && page.rights & 2 != 0
      return model.verdict(pid, number, isStore: isStore, ignoringKeys: true) != .allowed
    } ?? range.upperBound
  }

  /// Whether the answer of mincore, a byte for each page, can be stored at `vector`.
  private func answerFits(_ pid: UInt32, _ range: Range<UInt64>, _ vector: UInt64) -> Bool {
    guard !range.isEmpty else { return true }
    return (vector >> 12...(vector + UInt64(range.count) - 1) >> 12).allSatisfy {
      model.verdict(pid, $0, isStore: true) == .allowed
    }
  }
}
