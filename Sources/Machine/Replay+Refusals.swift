// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Events
internal import MMU
internal import SimMemory
internal import VMM

extension Replay {
  /// The next record came, and no signal line explained the refused access.
  ///
  /// Without signal lines in the trace, a refusal is believed when the program had a handler for it.
  @usableFromInline mutating func settlePending() throws(ReplayStop) {
    guard let refused = pending else { return }
    pending = nil
    if !hasSignalLines, current.handlesFaults {
      tally.expectedRefusals += 1
      return
    }
    countFatal(refused)
  }

  mutating func countFatal(_ refused: PendingRefusal) {
    tally.fatalFaults += 1
    tally.diverge(
      "\(refused.access) at \(refused.address) in process \(current.process?.pid ?? 0): Linux allowed it, "
        + "here it is refused (\(refused.refusal))")
  }

  /// Linux refused an access: it must be refused here with the same code.
  mutating func refused(_ refusal: Refusal) throws(ReplayStop) {
    hasSignalLines = true
    if let seen = pending {
      pending = nil
      if matches(seen, refusal) {
        tally.expectedRefusals += 1
        return
      }
      countFatal(seen)
    }
    guard let space else { throw ReplayStop.noProcess }
    if refusal.code == FaultRefusal.notCanonical.code {
      // Linux does not say which address it was.
      tally.expectedRefusals += 1
      return
    }
    if let address = refusal.address {
      try expectRefusal(space, address, refusal)
    } else if refusal.signal == .busError {
      expectBusError(space)
    }
  }

  private func matches(_ seen: PendingRefusal, _ refusal: Refusal) -> Bool {
    guard seen.refusal.code == refusal.code else { return false }
    // With the stack pointer as base, an address that is none is a bus error.
    if seen.refusal == .notCanonical { return true }
    guard seen.refusal.isBusError == (refusal.signal == .busError) else { return false }
    return refusal.address.map { $0.pageNumber == seen.address.pageNumber } ?? true
  }

  /// Tries the kinds of access until one is refused with the code that Linux gave.
  private mutating func expectRefusal(
    _ space: Space<Service.Database>, _ address: VirtualAddress, _ refusal: Refusal
  ) throws(ReplayStop) {
    try learn(space, address, code: refusal.code)
    if refusal.code == 2, space.layout.areas.area(at: address) == nil {
      // Valgrind could not fetch an instruction there, and says 2 in any case.
      tally.expectedRefusals += 1
      tally.valgrindAnswers += 1
      return
    }
    for kind in [AccessKind.load, .store, .fetch] {
      guard isRefused(space, address, kind, code: refusal.code) else { continue }
      if case .refused = machine.calls.pageFault(space, address, kind) {
        machine.deliverInvalidations()
        tally.expectedRefusals += 1
        return
      }
    }
    tally.diverge(
      "access at \(address) in process \(current.process?.pid ?? 0): Linux refused it with code \(refusal.code), "
        + "here it is allowed")
  }

  /// Where the mapping at `address` was only inferred, the refusal says more about it.
  private mutating func learn(
    _ space: Space<Service.Database>, _ address: VirtualAddress, code: UInt32
  ) throws(ReplayStop) {
    let page = VirtualRange(page: address, .base)
    guard let area = space.layout.areas.area(at: address) else {
      if code == 1 { current.unmapped.insert(page) }
      return
    }
    guard area.flags.contains(.inferred) else { return }
    if code == 1, current.lastInferred == page {
      try retract(page)
      current.unmapped.insert(page)
    } else if code == 2, area.rights.contains([.read, .write, .execute]) {
      // Code and read-only data of the image: at least stores are refused.
      do { try machine.kernel.restrict(space, page, to: [.read, .execute]) } catch { throw .outOfMemory }
      machine.deliverInvalidations()
    }
  }

  /// Whether the layout refuses an access with `code`, without serving it.
  private func isRefused(
    _ space: Space<Service.Database>, _ address: VirtualAddress, _ kind: AccessKind, code: UInt32
  ) -> Bool {
    guard let area = space.layout.areas.area(at: address) else { return code == 1 }
    if code == 1 { return area.flags.contains(.hasGuards) }
    return !area.rights.allow(kind)
  }

  /// A bus error names no address: some page of a file mapping must lie behind the end of its file.
  private mutating func expectBusError(_ space: Space<Service.Database>) {
    for area in space.layout.areas.areas where area.file != .none {
      let file = machine.kernel.files[area.file]
      let last = VirtualAddress(area.range.end.raw - PageSize.base.bytes)
      guard file.isBeyondEnd(page: area.filePage(at: last)) else {
        if file.mayBeLarger {
          tally.expectedRefusals += 1
          return
        }
        continue
      }
      if case .refused(.beyondEndOfFile) = machine.calls.pageFault(space, last, .load) {
        tally.expectedRefusals += 1
        return
      }
    }
    tally.diverge(
      "bus error in process \(current.process?.pid ?? 0): no mapping reaches behind the end of its file")
  }
}
