// SPDX-License-Identifier: MIT
import ClusterTable
import ECPT
import EMTCore
import EntryFormats
import MMU
import SimMemory
import Testing
import X86Object

/// Random operations against a dictionary from page start to entry.
@Suite struct DifferentialTests {
  struct Model {
    var pages: [UInt64: X86Object] = [:]

    func at(_ address: UInt64) -> X86Object? {
      for size in [PageSize.base, .twoMiB] {
        if let object = pages[address & ~size.mask], object.size == size { return object }
      }
      return nil
    }

    func mapped(in range: VirtualRange) -> [X86Object] {
      pages.values.filter { $0.span.overlaps(range) }.sorted { $0.start < $1.start }
    }

    /// The first page that reaches over an edge of `range`.
    func overhang(_ range: VirtualRange) -> X86Object? {
      mapped(in: range).first { !range.contains($0.span) }
    }
  }

  let space: UInt64 = 6 << 21

  func range(_ random: inout Random) -> VirtualRange {
    let start = UInt64.random(in: 0..<space >> 12, using: &random)
    let pages = UInt64.random(in: 1...(Bool.random(using: &random) ? 12 : 900), using: &random)
    return VirtualRange(VirtualAddress(start << 12), VirtualAddress(min(start + pages, space >> 12) << 12))
  }

  @Test(arguments: 1...4) func everyOperationAgreesWithADictionary(seed: UInt64) throws {
    let rig = try Rig(bytes: 256 << 20)
    let child = try rig.another()
    var random = Random(seed &* 0x9E37_79B9)
    var (model, childModel) = (Model(), Model())
    for step in 0..<400 {
      try act(rig, child, &model, &childModel, &random)
      if step % 50 == 0 {
        agree(rig, rig.database, rig.root, model, "seed \(seed) step \(step)")
        let root = rig.service.root(of: child)
        agree(rig, child, root, childModel, "child, seed \(seed) step \(step)")
      }
    }
    try rig.service.destroy(child)
    child.context.destroy()
    try rig.end()
  }

  func agree(_ rig: Rig, _ database: ECPTDatabase, _ root: ECPTRoot, _ model: Model, _ note: String) {
    var iterator = database.makeIterator(over: VirtualRange(VirtualAddress(0), bytes: space))
    var found: [UInt64: X86Entry] = [:]
    while let object = database.nextMapped(&iterator) { found[object.start.raw] = object.entry }
    #expect(found == model.pages.mapValues(\.entry), "\(note)")
    var missed = 0
    for page in 0..<space >> 12 {
      let address = VirtualAddress(page << 12)
      let translation = rig.walker.probe(root, address, .load, isUser: true).translation
      let expected = model.at(address.raw).flatMap { $0.isReadable ? $0.entry.physicalAddress($0.size) : nil }
      if translation?.page != expected { missed += 1 }
    }
    #expect(missed == 0, "hardware, \(note)")
  }

  func act(
    _ rig: Rig, _ child: ECPTDatabase, _ model: inout Model, _ childModel: inout Model,
    _ random: inout Random
  ) throws {
    let database = rig.database
    let address = VirtualAddress(UInt64.random(in: 0..<space >> 12, using: &random) << 12)
    let range = range(&random)
    switch Int.random(in: 0..<16, using: &random) {
    case 0...3:
      let isHuge = Int.random(in: 0..<8, using: &random) == 0
      let size = isHuge ? PageSize.twoMiB : .base
      let object = Rig.page(address.raw >> UInt64(size.shift), random.next() % 64, size)
      let other = model.mapped(in: object.span).first { $0.size != size }
      do {
        let change = try database.update(object)
        #expect(other == nil)
        #expect(change.old.entry == model.pages[object.start.raw]?.entry ?? X86Entry(0))
        database.settle(change.takeObligation())
        model.pages[object.start.raw] = object
      } catch {
        #expect(error == other.map { .sizeConflict(existing: $0.start, size: $0.size) })
      }
    case 4, 5:
      guard let object = model.at(address.raw) else {
        #expect(throws: TranslationError.notMapped) {
          database.settle(try database.remove(Rig.page(address.raw >> 12, 0)).takeObligation())
        }
        break
      }
      let found = database.find(address)
      #expect(found.entry == object.entry)
      database.settle(try database.remove(found).takeObligation())
      model.pages[object.start.raw] = nil
      if Bool.random(using: &random) {
        database.settle(try database.update(found).takeObligation())
        model.pages[object.start.raw] = object
      }
    case 6:
      let overhang = model.overhang(range)
      var seen: [UInt64] = []
      do {
        database.settle(try database.removeAll(in: range) { seen.append($0.start.raw) })
        #expect(overhang == nil)
      } catch {
        #expect(error.firstNotDone == max(overhang?.start ?? range.start, range.start))
      }
      let stop = overhang.map { $0.start <= range.start ? range.start : $0.start } ?? range.end
      let gone = model.mapped(in: VirtualRange(range.start, stop)).filter { range.contains($0.span) }
      #expect(seen == gone.map(\.start.raw))
      for object in gone { model.pages[object.start.raw] = nil }
    case 7:
      guard model.overhang(range) == nil else { break }
      let protection = Protection(
        readable: Bool.random(using: &random), writable: Bool.random(using: &random), executable: true)
      database.settle(try database.setProtection(in: range, to: protection))
      for object in model.mapped(in: range) { model.pages[object.start.raw]?.setProtection(protection) }
    case 8:
      #expect(database.isVoid(range) == model.mapped(in: range).isEmpty)
      let pages = model.mapped(in: range).reduce(0) { $0 + $1.span.intersection(range).pages }
      #expect(database.countMapped(in: range) == pages)
    case 9:
      guard model.overhang(range) == nil else { break }
      child.settle(try child.removeAll(in: VirtualRange(VirtualAddress(0), bytes: space)) { _ in })
      childModel.pages = [:]
      var copied: [UInt64] = []
      let decide = { (object: X86Object) -> CopyDecision in
        object.start.pageNumber % 3 == 0 ? .skip : object.start.pageNumber % 3 == 1 ? .share : .shareProtected
      }
      database.settle(
        try database.copy(range, into: child, decide: decide) { copied.append($0.start.raw) })
      for object in model.mapped(in: range) where decide(object) != .skip {
        var shared = object
        if decide(object) == .shareProtected { shared.isWritable = false }
        childModel.pages[object.start.raw] = shared
        model.pages[object.start.raw] = shared
      }
      #expect(copied == childModel.pages.keys.sorted())
    case 10, 11:
      let target = VirtualAddress(UInt64.random(in: 0..<space >> 12, using: &random) << 12)
      let there = VirtualRange(target, bytes: range.bytes)
      let source = model.mapped(in: range)
      guard there.end.raw <= space, !there.overlaps(range), model.mapped(in: there).isEmpty,
        source.allSatisfy({ $0.size == .base && range.contains($0.span) })
      else { break }
      database.settle(try database.move(range, to: target))
      for object in source { model.pages[object.start.raw] = nil }
      for object in source {
        let moved = object.moved(to: target.advanced(by: object.start.raw - range.start.raw))
        model.pages[moved.start.raw] = moved
      }
    case 12, 13:
      guard model.mapped(in: range).allSatisfy({ $0.size == .base }) else { break }
      let first = Rig.page(range.start.pageNumber, 100)
      database.settle(try database.insertRun(first, count: range.pages))
      for step in 0..<range.pages {
        model.pages[range.start.raw + step << 12] = Rig.page(range.start.pageNumber + step, 100 + step)
      }
    default: try touch(database, address, &model)
    }
  }

  /// The in-place functions on one page.
  func touch(_ database: ECPTDatabase, _ address: VirtualAddress, _ model: inout Model) throws {
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
