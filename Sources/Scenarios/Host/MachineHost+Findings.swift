// SPDX-License-Identifier: MIT
internal import EMTCore
internal import MMU
internal import Machine
internal import SimMemory
internal import VMM

// What must hold at any time, whatever a scenario did.
extension MachineHost {
  /// The first violation of each kind.
  public func findings() -> [String] {
    var found: [String] = []
    for pid in kernel.processes.keys.sorted() {
      guard let space = kernel.processes[pid]?.space else { continue }
      if let broken = space.layout.areas.brokenInvariant() { found.append("process \(pid): \(broken)") }
      if let wrong = disagreement(space) { found.append("process \(pid): \(wrong)") }
    }
    if let broken = kernel.brokenCount() { found.append(broken) }
    if let broken = kernel.reverseMapFault() { found.append("reverse map: \(broken)") }
    if let stale = machine.staleEntry() { found.append(stale) }
    return found
  }

  /// Where the database, the layout and hardware do not say the same.
  private func disagreement(_ space: Space<Service.Database>) -> String? {
    var database = space.database
    database.context.cpu = machine.platform.platform.observer
    guard let root = root(of: space) else { return "its address space cannot be switched to" }
    var border = VirtualAddress(0)
    for area in space.layout.areas.areas {
      if border < area.range.start {
        if let wrong = strayPage(VirtualRange(border, area.range.start), database) { return wrong }
      }
      border = area.range.end
      if let wrong = disagreement(area, database, root) { return wrong }
    }
    return strayPage(VirtualRange(border, kernel.userEnd), database)
  }

  /// A page where no area is, near an edge of a gap: there mistakes happen, and some drivers are slow in large voids. One
  /// that lies deeper is missing at the end, when frames are counted.
  private func strayPage(_ gap: VirtualRange, _ database: Service.Database) -> String? {
    let reach = PageSize.twoMiB.bytes * 2
    let parts =
      gap.bytes <= 2 * reach
      ? [gap]
      : [
        VirtualRange(gap.start, bytes: reach),
        VirtualRange(VirtualAddress(gap.end.raw - reach), bytes: reach),
      ]
    for part in parts where !part.isEmpty {
      var iterator = database.makeIterator(over: part)
      let stray = database.nextMapped(&iterator)
      database.endIteration(iterator)
      if let stray { return "\(stray.span) is mapped outside every area" }
    }
    return nil
  }

  /// Every page that is mapped, and the first ones of every hole.
  private func disagreement(
    _ area: VMA, _ database: Service.Database, _ root: Walker.Root
  ) -> String? {
    var iterator = database.makeIterator(over: area.range)
    defer { database.endIteration(iterator) }
    var border = area.range.start
    while let object = database.nextMapped(&iterator) {
      for hole in holes(border, object.start) {
        if let wrong = compare(hole, database, root, area) { return wrong }
      }
      for place in [object.start, object.span.end.advanced(by: 0 &- PageSize.base.bytes)] {
        if let wrong = compare(place, database, root, area) { return wrong }
      }
      border = object.span.end
    }
    for hole in holes(border, area.range.end) {
      if let wrong = compare(hole, database, root, area) { return wrong }
    }
    return nil
  }

  /// The first and the last page of a hole.
  private func holes(_ start: VirtualAddress, _ end: VirtualAddress) -> [VirtualAddress] {
    start < end ? [start, VirtualAddress(end.raw - PageSize.base.bytes)] : []
  }

  private func compare(
    _ address: VirtualAddress, _ database: Service.Database, _ root: Walker.Root, _ area: VMA
  ) -> String? {
    let found = database.find(address)
    guard found.span.contains(address) else { return "\(address): the database answers with \(found.span)" }
    if found.isPresent, found.isWritable, !area.rights.contains(.write) {
      return "\(address): writable although its area \(area.range) is not"
    }
    for (kind, isAllowed) in [
      (AccessKind.load, found.isPresent && found.isReadable),
      (.store, found.isPresent && found.isReadable && found.isWritable),
      (.fetch, found.isPresent && found.isReadable && found.isExecutable),
    ] {
      let walk = machine.units[0].mmu.walker.probe(root, address, kind, isUser: true)
      guard let translation = walk.translation else {
        if isAllowed { return "\(address): the database allows a \(kind), hardware refuses it" }
        continue
      }
      if !isAllowed { return "\(address): the database refuses a \(kind), hardware allows it" }
      let expected = found.physicalAddress.advanced(by: address.offset(in: found.size))
      if translation.physical(address) != expected || translation.size != found.size {
        return "\(address): the database says \(expected) in \(found.size), hardware "
          + "\(translation.physical(address)) in \(translation.size)"
      }
    }
    return nil
  }

  /// The registers that a CPU would have in this space.
  private func root(of space: Space<Service.Database>) -> Walker.Root? {
    do {
      let previous = try kernel.service.switchTo(space.database, on: 0)
      let root = kernel.service.registers[0]
      _ = try kernel.service.switchTo(previous, on: 0)
      machine.deliverInvalidations()
      return root
    } catch { return nil }
  }

  /// Ends all processes, then the kernel: files, swap slots and frames must be gone.
  public func shutDown() -> [String] {
    var found: [String] = []
    for pid in kernel.processes.keys.sorted() { exit(pid) }
    if kernel.residentPages != 0 {
      found.append("\(kernel.residentPages) pages are counted without a process")
    }
    let lost = machine.shutDown()
    if kernel.swap.used != 0 { found.append("\(kernel.swap.used) swap slots are in use at the end") }
    if kernel.files.count != 0 { found.append("\(kernel.files.count) files are left at the end") }
    if kernel.committedPages != 0 { found.append("\(kernel.committedPages) pages are still promised") }
    if lost != 0 { found.append("\(lost) frames are missing at the end") }
    return found
  }
}
