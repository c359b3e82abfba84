// SPDX-License-Identifier: MIT
import EMTCore
import EntryFormats
import RadixSupport
import SimMemory
import X86Object

/// One random operation, to be done on two databases.
struct RandomOperation {
  /// Four 2 MiB regions around a 1 GiB boundary.
  static let area = VirtualRange(VirtualAddress(1 << 30 - 4 << 20), bytes: 8 << 20)
  let kind: Int
  let page: X86Object
  let range: VirtualRange
  let target: VirtualAddress
  let flag: Bool

  init(_ generator: inout SeededGenerator) {
    let area = RandomOperation.area
    func address(_ size: PageSize) -> VirtualAddress {
      area.start.advanced(by: .random(in: 0..<area.bytes, using: &generator) & ~size.mask)
    }
    kind = .random(in: 0..<17, using: &generator)
    flag = .random(using: &generator)
    let size = Int.random(in: 0..<6, using: &generator) == 0 ? PageSize.twoMiB : .base
    var object = X86Object(unmappedAt: address(size), size: size)
    if Int.random(in: 0..<8, using: &generator) == 0 {
      object.swapEntry = SwapEntry(area: 3, offset: .random(in: 0..<1000, using: &generator))
    } else {
      object.isPresent = true
      object.isWritable = .random(using: &generator)
      object.isUser = true
      object.isDirty = .random(using: &generator)
      object.isAccessed = .random(using: &generator)
      object.hasNumaHint = Int.random(in: 0..<8, using: &generator) == 0
      object.frame = FrameNumber(.random(in: 1..<64, using: &generator) << 9)
    }
    page = object
    let coarse: PageSize = Bool.random(using: &generator) ? .twoMiB : .base
    let (a, b) = (address(coarse), address(coarse))
    range = VirtualRange(min(a, b), max(a, b).advanced(by: coarse.bytes))
    // The same place inside a region, most of the time: that is where whole nodes can move.
    let shift = UInt64.random(in: 1..<6, using: &generator) << 23
    target = range.start.advanced(by: shift &+ (flag ? 0 : 4096))
  }

  /// Does it.
  /// - Returns: everything that a caller learns from it.
  func run<Database: TranslationDatabase>(
    on database: Database, makeTarget: () throws -> Database, endTarget: (Database) throws -> Void
  ) throws -> String where Database.Object == X86Object {
    var seen: [String] = []
    func note(_ object: X86Object) { seen.append("\(object.start) \(object.size) \(object.entry.raw)") }
    do {
      switch kind {
      case 0...3: note(try database.put(page))
      case 4: note(try database.drop(page))
      case 5: database.settle(try database.insertRun(page, count: 1 + page.frame.raw % 700))
      case 6: database.settle(try database.removeAll(in: range, note))
      case 7:
        let protection = Protection(readable: flag, writable: flag, executable: true)
        database.settle(try database.setProtection(in: range, to: protection))
      case 8:
        let target = try makeTarget()
        defer { try? endTarget(target) }
        let decide = { (object: X86Object) -> CopyDecision in
          object.frame.raw % 5 == 0 ? .skip : flag ? .shareProtected : .share
        }
        let flush = try database.copy(range, into: target, decide: decide, copied: note)
        database.settle(flush)
        list(target, range, note)
      case 9:
        guard database.isVoid(VirtualRange(target, bytes: range.bytes)) else { return "occupied" }
        database.settle(try database.move(range, to: target))
      case 10:
        let object = database.find(page.start)
        if object.isMapped { try database.split(object) }
      case 11:
        try database.collapse(into: page) { object in
          note(object)
          return flag
        }
      case 12: return "\(database.isVoid(range)) \(database.countMapped(in: range))"
      case 13:
        let change = try database.updateAttributes(at: page.start) { $0.isSoftDirty = flag }
        note(change.old)
        database.settle(change.takeObligation())
      case 14:
        seen.append("\(try database.testAndClearAccessed(at: page.start))")
        let tested = try database.testAndClearDirty(at: page.start)
        seen.append("\(tested.wasSet)")
        database.settle(tested.takeObligation())
      case 15: try database.setAccessed(at: page.start, alsoDirty: flag)
      default: try database.makeWritable(at: page.start)
      }
    } catch { seen.append("\(error)") }
    list(database, range, note)
    return seen.joined(separator: "\n")
  }

  /// Everything mapped in `range`, by both kinds of iteration.
  private func list<Database: TranslationDatabase>(
    _ database: Database, _ range: VirtualRange, _ note: (X86Object) -> Void
  ) where Database.Object == X86Object {
    var iterator = database.makeIterator(over: range)
    while let object = database.nextMapped(&iterator) { note(object) }
    database.endIteration(iterator)
    var stepper = database.makeIterator(over: range)
    database.skip(&stepper, pages: 3)
    while database.hasNext(stepper) {
      let object = database.next(&stepper)
      if object.isMapped { note(object) }
    }
    database.endIteration(stepper)
  }
}
