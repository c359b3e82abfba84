// SPDX-License-Identifier: MIT
internal import EMTCore
internal import MMU
internal import Machine
internal import Reference
internal import SimMemory
internal import VMM

extension MemoryRig {
  /// How an access ended.
  enum Access: Equatable {
    case done(UInt8)
    case refused(FaultRefusal)
    case outOfMemory
  }

  func load(_ process: Proc, _ address: UInt64) {
    let outcome = access(process, address, .load, 0)
    let (page, offset) = (address >> 12, UInt16(address & 4095))
    guard judge(process, address, isStore: false, outcome), case .done(let value) = outcome else { return }
    mix(UInt64(value))
    let known = model.contents(process.pid, page)[offset]
    if value != known {
      if known != 0, value == 0, model.page(process.pid, page)?.mayVanish == true {
        return model.update(process.pid, page..<page + 1) { $0.drop() }
      }
      report("process \(process.pid) loads \(value) at \(hex(address)), which holds \(known)")
    }
  }

  func store(_ process: Proc, _ address: UInt64, _ value: UInt8) {
    let (page, offset) = (address >> 12, UInt16(address & 4095))
    let outcome = access(process, address, .store, value)
    guard judge(process, address, isStore: true, outcome), case .done = outcome else { return }
    if model.page(process.pid, page)?.mayVanish == true { observe(process, page, besides: offset) }
    model.store(process.pid, page, offset: offset, value)
    if model.page(process.pid, page)?.own != nil { possessions[process.pid]?.written?.insert(page) }
  }

  /// Whether a lazily freed page is gone shows in any byte of it.
  private func observe(_ process: Proc, _ page: UInt64, besides stored: UInt16) {
    let contents = model.contents(process.pid, page)
    guard let other = (0..<contents.count).first(where: { contents.byte($0).offset != stored }) else {
      return
    }
    let address = page << 12 + UInt64(contents.byte(other).offset)
    guard case .done(0) = access(process, address, .load, 0) else { return }
    model.update(process.pid, page..<page + 1) { $0.drop() }
  }

  /// Compares whether an access was allowed.
  /// - Returns: whether there is something to compare further.
  private func judge(_ process: Proc, _ address: UInt64, isStore: Bool, _ outcome: Access) -> Bool {
    let verdict = model.verdict(process.pid, address >> 12, isStore: isStore)
    let expected: FaultRefusal?
    switch verdict {
    case .allowed: expected = nil
    case .notMapped: expected = .notMapped
    case .notAllowed: expected = .notAllowed
    case .keyForbids: expected = .keyForbids
    case .beyondEndOfFile: expected = .beyondEndOfFile
    }
    let got: FaultRefusal?
    switch outcome {
    case .outOfMemory:
      expectShortage("access at \(hex(address))")
      return false
    case .refused(let refusal): got = refusal
    case .done: got = nil
    }
    mix(UInt64(got?.rawValue ?? 255))
    if got != expected {
      let (wants, has) = (expected.map { "refused: \($0)" } ?? "allowed", got.map { "\($0)" } ?? "allowed")
      report(
        "\(isStore ? "store" : "load") at \(hex(address)) in process \(process.pid): expected \(wants), got \(has)"
      )
    }
    return got == nil && expected == nil
  }

  /// One access through the hardware, and through the kernel where that faults.
  func access(_ process: Proc, _ address: UInt64, _ kind: AccessKind, _ value: UInt8) -> Access {
    switchTo(process)
    let (unit, root) = (machine.units[0].mmu, machine.kernel.service.registers[0])
    let memory = machine.platform.memory.memory
    let address = VirtualAddress(address)
    if let refusal = calls.keyRefusal(process, address, kind) { return .refused(refusal) }
    for _ in 0..<16 {
      if case .physical(let physical) = unit.translate(address, kind, root, isUser: true) {
        if kind == .store { memory.setByte(value, at: physical) }
        return .done(memory.byte(at: physical))
      }
      let outcome = calls.pageFault(process.space, address, kind)
      machine.deliverInvalidations()
      switch outcome {
      case .resolved: continue
      case .refused(let refusal): return .refused(refusal)
      case .outOfMemory: return .outOfMemory
      case .waits:
        report("the access at \(address) waits for a monitor that there is not")
        return .outOfMemory
      }
    }
    report("the access at \(address) in process \(process.pid) faults again and again")
    return .outOfMemory
  }

  private func switchTo(_ process: Proc) {
    guard running != process.pid else { return }
    running = process.pid
    do { _ = try machine.kernel.service.switchTo(process.space.database, on: 0) } catch {
      report("CPU 0 could not switch to process \(process.pid): \(error)")
    }
    machine.deliverInvalidations()
  }

  func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
}
