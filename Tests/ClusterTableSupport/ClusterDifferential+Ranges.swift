// SPDX-License-Identifier: MIT
internal import ClusterTable
internal import EMTCore
internal import SimMemory
internal import Testing
internal import X86Object

extension ClusterDifferential {
  mutating func removeAll(_ range: VirtualRange) {
    let overhang = model.overhang(range)
    var seen: [UInt64] = []
    do throws(RangeFailure) {
      database.settle(try database.removeAll(in: range) { seen.append($0.start.raw) })
      #expect(overhang == nil)
    } catch {
      #expect(error.firstNotDone == max(overhang?.start ?? range.start, range.start))
    }
    let stop = overhang.map { $0.start <= range.start ? range.start : $0.start } ?? range.end
    let gone = model.mapped(in: VirtualRange(range.start, stop)).filter { range.contains($0.span) }
    #expect(seen == gone.map(\.start.raw))
    for object in gone { model.pages[object.start.raw] = nil }
  }

  mutating func protect(_ range: VirtualRange) throws {
    guard model.overhang(range) == nil else { return }
    let protection = Protection(
      readable: Bool.random(using: &random), writable: Bool.random(using: &random), executable: true)
    database.settle(try database.setProtection(in: range, to: protection))
    for object in model.mapped(in: range) { model.pages[object.start.raw]?.setProtection(protection) }
  }

  /// Copies to the child, which is emptied first.
  mutating func copy(_ range: VirtualRange) throws {
    guard model.overhang(range) == nil else { return }
    child.settle(try child.removeAll(in: space) { _ in })
    childModel.pages = [:]
    var copied: [UInt64] = []
    let decide = { (object: X86Object) -> CopyDecision in
      object.start.pageNumber % 3 == 0 ? .skip : object.start.pageNumber % 3 == 1 ? .share : .shareProtected
    }
    let stop = reached(range) { () throws(RangeFailure) in
      database.settle(
        try database.copy(range, into: child, decide: decide) { copied.append($0.start.raw) })
    }
    for object in model.mapped(in: VirtualRange(range.start, stop)) where decide(object) != .skip {
      var shared = object
      if decide(object) == .shareProtected { shared.isWritable = false }
      childModel.pages[object.start.raw] = shared
      model.pages[object.start.raw] = shared
    }
    #expect(copied == childModel.pages.keys.sorted())
  }

  mutating func move(_ range: VirtualRange, to target: VirtualAddress) {
    let there = VirtualRange(target, bytes: range.bytes)
    let source = model.mapped(in: range)
    guard space.contains(there), !there.overlaps(range), model.mapped(in: there).isEmpty,
      source.allSatisfy({ $0.size == .base && range.contains($0.span) })
    else { return }
    let stop = reached(range) { () throws(RangeFailure) in
      database.settle(try database.move(range, to: target))
    }
    for object in source where object.start < stop {
      let moved = object.moved(to: target.advanced(by: object.start.raw - range.start.raw))
      model.pages[object.start.raw] = nil
      model.pages[moved.start.raw] = moved
    }
  }

  mutating func insertRun(_ range: VirtualRange) {
    guard model.mapped(in: range).allSatisfy({ $0.size == .base }) else { return }
    let first = ClusterRig<Service, Walker>.page(range.start.pageNumber, 100)
    let stop = reached(range) { () throws(RangeFailure) in
      database.settle(try database.insertRun(first, count: range.pages))
    }
    for step in 0..<VirtualRange(range.start, stop).pages {
      let page = ClusterRig<Service, Walker>.page(range.start.pageNumber + step, 100 + step)
      model.pages[page.start.raw] = page
    }
  }

  /// How far `body` came: to the end, unless there was no memory.
  func reached(_ range: VirtualRange, _ body: () throws(RangeFailure) -> Void) -> VirtualAddress {
    do throws(RangeFailure) {
      try body()
      return range.end
    } catch {
      #expect(error.reason == .outOfMemory)
      refused.add()
      return error.firstNotDone
    }
  }

  /// The in-place functions on one page.
  mutating func touch(_ address: VirtualAddress) throws {
    guard var object = model.at(address.raw) else {
      #expect(throws: TranslationError.notMapped) { try database.makeWritable(at: address) }
      return
    }
    #expect(try database.testAndClearAccessed(at: address) == object.isAccessed)
    object.isAccessed = false
    let dirty = try database.testAndClearDirty(at: address)
    let wasSet = dirty.wasSet
    database.settle(dirty.takeObligation())
    #expect(wasSet == object.isDirty)
    object.isDirty = false
    try database.setAccessed(at: address, alsoDirty: address.pageNumber % 2 == 0)
    object.isAccessed = true
    if address.pageNumber % 2 == 0 { object.isDirty = true }
    if address.pageNumber % 3 == 0 {
      try database.makeWritable(at: address)
      object.isWritable = true
      object.isDirty = true
    }
    model.pages[object.start.raw] = object
  }
}
