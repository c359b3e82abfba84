// SPDX-License-Identifier: MIT
public import EMTCore
public import MMU
public import Machine
public import Reference
internal import SimMemory
internal import VMM

/// Compares, page by page, what the driver's look-up, the reference model and the hardware walker say about every
/// mapping of every process, and what TLBs remember.
///
/// The machine runs on the shadowed driver, so that the model has seen every change.
public struct Agreement<Base: TranslationDatabase, Walker: PageWalker>
where Base.Service.Root == Walker.Root {
  /// The machine that is checked.
  public typealias CheckedMachine = Machine<ShadowedService<Base>, Walker>

  /// Pages compared so far.
  public private(set) var pages: UInt64 = 0

  /// A comparison that has seen nothing yet.
  public init() {}

  /// Compares everything.
  /// - Returns: the first disagreement in words.
  public mutating func check(_ machine: CheckedMachine) -> String? {
    if let divergence = machine.kernel.service.log.divergence { return divergence.description }
    for pid in machine.kernel.processes.keys.sorted() {
      guard let process = machine.kernel.processes[pid] else { continue }
      if let wrong = check(process.space, machine) { return "process \(pid): \(wrong)" }
    }
    return machine.kernel.brokenCount() ?? machine.staleEntry()
  }

  private mutating func check(
    _ space: Space<Shadowed<Base>>, _ machine: CheckedMachine
  ) -> String? {
    if let broken = space.layout.areas.brokenInvariant() { return broken }
    var database = space.database
    database.context.cpu = machine.platform.platform.observer
    if let stray = database.mappedObjects.first(where: { !space.layout.areas.covers($0.span) }) {
      return "\(stray.span) is mapped outside every area"
    }
    guard let root = root(of: space, machine) else { return "its address space cannot be switched to" }
    for area in space.layout.areas.areas {
      var address = area.range.start
      while address < area.range.end {
        if let wrong = compare(address, database, root, machine, area) { return wrong }
        pages += 1
        address = address.advanced(by: PageSize.base.bytes)
      }
    }
    return machine.kernel.service.log.divergence?.description
  }

  /// The registers that a CPU would have in this space.
  private func root(of space: Space<Shadowed<Base>>, _ machine: CheckedMachine) -> Walker.Root? {
    let service = machine.kernel.service
    do {
      let previous = try service.switchTo(space.database, on: 0)
      let root = service.registers[0]
      _ = try service.switchTo(previous, on: 0)
      machine.deliverInvalidations()
      return root
    } catch { return nil }
  }

  private func compare(
    _ address: VirtualAddress, _ database: Shadowed<Base>, _ root: Walker.Root, _ machine: CheckedMachine,
    _ area: VMA
  ) -> String? {
    let found = database.find(address)
    let expected = database.expected(at: address)
    if found.isMapped != expected.isMapped || found.isPresent != expected.isPresent {
      return "\(address): driver says \(describe(found)), model says \(describe(expected))"
    }
    if found.isPresent, found.physicalAddress != expected.physicalAddress || found.size != expected.size {
      return "\(address): driver says \(describe(found)), model says \(describe(expected))"
    }
    if found.isPresent, found.isWritable, !area.rights.contains(.write) {
      return "\(address): writable although its area \(area.range) is not"
    }
    let walker = machine.units[0].mmu.walker
    for (kind, isAllowed) in [
      (AccessKind.load, found.isPresent && found.isReadable),
      (.store, found.isPresent && found.isReadable && found.isWritable),
      (.fetch, found.isPresent && found.isReadable && found.isExecutable),
    ] {
      let walk = walker.probe(root, address, kind, isUser: true)
      guard let translation = walk.translation else {
        if isAllowed { return "\(address): driver says \(describe(found)), the walker refuses a \(kind)" }
        continue
      }
      if !isAllowed { return "\(address): driver says \(describe(found)), the walker allows a \(kind)" }
      let offset = address.offset(in: found.size)
      if translation.physical(address) != found.physicalAddress.advanced(by: offset)
        || translation.size != found.size
      {
        return
          "\(address): driver says \(describe(found)), the walker says \(translation.page) of \(translation.size)"
      }
    }
    return nil
  }

  private func describe(_ object: some TranslationObject) -> String {
    guard object.isMapped else { return "void of \(object.size)" }
    guard object.isPresent else { return "mapped, not present" }
    let rights =
      (object.isReadable ? "r" : "-") + (object.isWritable ? "w" : "-") + (object.isExecutable ? "x" : "-")
    return "\(object.size) at \(object.physicalAddress) \(rights)"
  }
}
