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
      let pages = model.processes[process.pid] ?? [:]
      for (number, page) in pages.sorted(by: { $0.key < $1.key }) {
        guard page.rights != 0, !page.isGuard else { continue }
        let contents = model.contents(process.pid, number)
        guard let byte = contents.min(by: { $0.key < $1.key }) else { continue }
        load(process, number << 12 + UInt64(byte.key))
        guard difference == nil else { return }
        comparePresent(process, number)
      }
      if !mayRunShort { mix(process.space.residentPages) }
    }
    if let broken = machine.kernel.brokenCount() ?? machine.kernel.reverseMapFault() { report(broken) }
    dropUnseenFiles()
  }

  /// Areas and the model's pages must say the same.
  private func compareLayout(_ process: Proc, _ range: Range<UInt64>) {
    let span = VirtualRange(VirtualAddress(range.lowerBound << 12), VirtualAddress(range.upperBound << 12))
    var mapped = 0
    for area in process.space.layout.areas.overlapping(span) {
      let part = area.range.intersection(span)
      for number in part.start.pageNumber..<part.start.pageNumber + part.pages {
        mapped += 1
        guard let page = model.page(process.pid, number) else {
          return report("page \(hex(number << 12)) of process \(process.pid) is mapped, and should not be")
        }
        if page.key != area.key {
          return report(
            "page \(hex(number << 12)) of process \(process.pid): expected key \(page.key), got \(area.key)")
        }
        if page.rights != area.rights.rawValue || page.isShared == area.isPrivate {
          return report(
            "page \(hex(number << 12)) of process \(process.pid): expected rights \(page.rights)"
              + "\(page.isShared ? ", shared" : ""), got \(area.rights.rawValue)\(area.isPrivate ? "" : ", shared")"
          )
        }
      }
    }
    let pages = model.processes[process.pid] ?? [:]
    let expected =
      range.count > pages.count
      ? pages.keys.count(where: range.contains) : range.count(where: { pages[$0] != nil })
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
    let memory = machine.platform.memory.memory
    let contents = model.contents(process.pid, number)
    for (offset, value) in contents where memory.byte(at: start.advanced(by: UInt64(offset))) != value {
      if page.mayVanish { continue }
      return report(
        "\(hex(number << 12 + UInt64(offset))) of process \(process.pid) holds "
          + "\(memory.byte(at: start.advanced(by: UInt64(offset)))), expected \(value)")
    }
    if page.rights == 0, object.isReadable { report("\(address) can be read, and should not") }
    if page.rights & 2 == 0, object.isWritable { report("\(address) can be written, and should not") }
    if page.isGuard { report("\(address) has a guard, and a page") }
    if contents[1234] == nil, memory.byte(at: start.advanced(by: 1234)) != 0 {
      report("\(hex(number << 12 + 1234)) of process \(process.pid) holds something, and should be zero")
    }
  }

  /// Forgets shared anonymous memory that nobody maps any more.
  private func dropUnseenFiles() {
    var seen: Set<Int> = []
    for pages in model.processes.values {
      for page in pages.values { if let file = page.file { seen.insert(file.number) } }
    }
    for number in model.files.keys where number >= 1000 && !seen.contains(number) {
      model.files[number] = nil
    }
  }
}
