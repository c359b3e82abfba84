// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Machine
internal import Reference
internal import SimMemory
internal import VMM

extension MemoryRig {
  /// Compares layout and contents of a range, without touching a page: what is in memory must hold the right bytes.
  func compare(_ process: Proc, _ range: Range<UInt64>) {
    guard difference == nil, !range.isEmpty else { return }
    compareLayout(process, range)
    // Of long ranges a spread of pages: the thorough comparison gets to all of them.
    let step = max(1, UInt64(range.count) / 64)
    for number in stride(from: range.lowerBound, to: range.upperBound, by: Int(step)) {
      comparePresent(process, number)
    }
  }

  /// Compares everything: layouts, contents through the hardware, the processes' residency.
  func compareEverything() {
    for process in live where difference == nil {
      compareLayout(process, 0..<UserSpace.end.raw >> 12)
      var places: [(page: UInt64, offset: UInt16)] = []
      model.processes[process.pid]?.forEach { number, page in
        guard page.rights != 0, !page.isGuard else { return true }
        let contents = model.contents(of: page)
        if !contents.isEmpty { places.append((number, contents.byte(0).offset)) }
        return true
      }
      for place in places {
        load(process, place.page << 12 + UInt64(place.offset))
        guard difference == nil else { return }
        comparePresent(process, place.page)
      }
      compareWritten(process)
      if !mayRunShort { mix(process.space.residentPages) }
    }
    if let broken = machine.kernel.brokenCount() ?? machine.kernel.reverseMapFault() { report(broken) }
    dropUnseenFiles()
  }

  /// Areas and the model's pages must say the same.
  private func compareLayout(_ process: Proc, _ range: Range<UInt64>) {
    let span = VirtualRange(VirtualAddress(range.lowerBound << 12), VirtualAddress(range.upperBound << 12))
    let pages = model.processes[process.pid] ?? ModelPages()
    var mapped = 0
    for area in process.space.layout.areas.overlapping(span) {
      let part = area.range.intersection(span)
      let first = part.start.pageNumber
      mapped += Int(part.pages)
      var next = first
      pages.forEach(in: first..<first + part.pages) { number, page in
        guard number == next else { return false }
        next += 1
        let name = { "page \(self.hex(number << 12)) of process \(process.pid)" }
        if page.key != area.key { report("\(name()): expected key \(page.key), got \(area.key)") }
        if page.rights != area.rights.rawValue || page.isShared == area.isPrivate {
          report(
            "\(name()): expected rights \(page.rights)\(page.isShared ? ", shared" : ""), got "
              + "\(area.rights.rawValue)\(area.isPrivate ? "" : ", shared")")
        }
        return difference == nil
      }
      if difference != nil { return }
      if next != first + part.pages {
        return report("page \(hex(next << 12)) of process \(process.pid) is mapped, and should not be")
      }
    }
    let expected = pages.count(in: range)
    if expected != mapped {
      report("process \(process.pid): \(mapped) pages are mapped in \(span), and should be \(expected)")
    }
    if let broken = process.space.layout.areas.brokenInvariant() { report(broken) }
  }

  /// A page that is in memory must hold what the model says.
  private func comparePresent(_ process: Proc, _ number: UInt64) {
    let address = VirtualAddress(number << 12)
    let object = process.space.database.find(address)
    guard object.isPresent, let page = model.page(process.pid, number) else {
      if object.isMapped, model.page(process.pid, number) == nil {
        report("\(address) of process \(process.pid) is translated although nothing is mapped there")
      }
      return
    }
    let start = object.physicalAddress.advanced(by: address.raw &- object.start.raw)
    let contents = model.contents(of: page)
    if page.rights == 0, object.isReadable { report("\(address) can be read, and should not") }
    if page.rights & 2 == 0, object.isWritable { report("\(address) can be written, and should not") }
    if page.isGuard { report("\(address) has a guard, and a page") }
    // Lazily freed pages hold what they held, or nothing.
    if page.mayVanish, machine.platform.memory.memory.isZero(start, bytes: 4096) { return }
    compareBytes(process, number, start, contents)
  }

  /// The known bytes of a page hold what they should, and all others are zero.
  private func compareBytes(
    _ process: Proc, _ number: UInt64, _ start: PhysicalAddress, _ contents: ModelContents
  ) {
    let memory = machine.platform.memory.memory
    var next: UInt64 = 0
    for rank in 0...contents.count {
      let (offset, value) = rank < contents.count ? contents.byte(rank) : (4096, 0)
      let isZero = memory.isZero(start.advanced(by: next), bytes: UInt64(offset) - next)
      guard isZero, rank == contents.count || memory.byte(at: start.advanced(by: UInt64(offset))) == value
      else {
        let place = (next..<4096).first {
          memory.byte(at: start.advanced(by: $0)) != contents[UInt16($0)]
        }
        guard let place else { return }
        return report(
          "\(hex(number << 12 + place)) of process \(process.pid) holds "
            + "\(memory.byte(at: start.advanced(by: place))), expected \(contents[UInt16(place)])")
      }
      next = UInt64(offset) + 1
    }
  }

  /// Forgets shared anonymous memory that nobody maps any more.
  private func dropUnseenFiles() {
    var seen: Set<Int> = []
    for pages in model.processes.values {
      pages.forEach { _, page in
        if let file = page.file, file.number >= 1000 { seen.insert(file.number) }
        return true
      }
    }
    seen.formUnion(segments.values.map(\.file))
    for owner in possessions.values { if let own = owner.ownFile { seen.insert(own.file) } }
    for number in model.files.keys where number >= 1000 && !seen.contains(number) {
      model.files[number] = nil
    }
  }
}
