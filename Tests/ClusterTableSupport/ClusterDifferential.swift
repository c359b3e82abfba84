// SPDX-License-Identifier: MIT
public import ClusterTable
public import EMTCore
internal import EntryFormats
public import MMU
internal import SimMemory
internal import Testing
internal import X86Object

/// Random operations on a process and its child, against dictionaries.
public struct ClusterDifferential<Service: ClusterService, Walker: PageWalker>
where Walker.Root == Service.Root {
  /// What it runs on.
  public typealias Rig = ClusterRig<Service, Walker>
  let rig: Rig
  let child: Service.Database
  var model = ClusterModel()
  var childModel = ClusterModel()
  var random: Random
  /// Operations that were refused because there was no memory.
  let refused = Counter()

  var database: Service.Database { rig.database }
  var space: VirtualRange { VirtualRange(VirtualAddress(0), bytes: 6 << 21) }

  init(seed: UInt64) throws {
    rig = try Rig(bytes: 256 << 20)
    child = try rig.another()
    random = Random(seed &* 0x9E37_79B9)
  }

  /// Runs `steps` operations, and compares everything with the dictionaries every `interval` ones.
  /// - Parameter isStarved: in most stretches of 16 operations all allocations from some one on fail.
  /// - Returns: how many operations were refused.
  @discardableResult
  public static func run(seed: UInt64, steps: Int, every interval: Int, isStarved: Bool = false) throws -> Int
  {
    var run = try ClusterDifferential(seed: seed)
    let frames = run.rig.machine.platform.frames
    for step in 0..<steps {
      if isStarved, step % 16 == 0 {
        let count = Int.random(in: 0..<6, using: &run.random)
        frames.stopInjectingFailures()
        if count < 5 { frames.injectFailure(after: count, staysBroken: true) }
      }
      try run.act()
      guard step % interval == 0 else { continue }
      run.agree(run.database, run.model, "seed \(seed) step \(step)")
      run.agree(run.child, run.childModel, "child, seed \(seed) step \(step)")
    }
    frames.stopInjectingFailures()
    try run.rig.service.destroy(run.child)
    run.child.context.destroy()
    try run.rig.end()
    return run.refused.sum
  }

  func agree(_ database: Service.Database, _ model: ClusterModel, _ note: String) {
    var iterator = database.makeIterator(over: space)
    var found: [UInt64: X86Entry] = [:]
    while let object = database.nextMapped(&iterator) { found[object.start.raw] = object.entry }
    #expect(found == model.pages.mapValues(\.entry), "\(note)")
    let root = rig.service.root(of: database)
    var missed = 0
    for page in 0..<space.pages {
      let address = VirtualAddress(page << 12)
      let translation = rig.walker.probe(root, address, .load, isUser: true).translation
      let expected = model.at(address.raw).flatMap { $0.isReadable ? $0.entry.physicalAddress($0.size) : nil }
      if translation?.page != expected { missed += 1 }
    }
    #expect(missed == 0, "hardware, \(note)")
  }

  mutating func address() -> VirtualAddress {
    VirtualAddress(UInt64.random(in: 0..<space.pages, using: &random) << 12)
  }

  mutating func range() -> VirtualRange {
    let start = address()
    let pages = UInt64.random(in: 1...(Bool.random(using: &random) ? 12 : 900), using: &random)
    return VirtualRange(start, bytes: pages << 12).intersection(space)
  }

  mutating func act() throws {
    let (address, range) = (address(), range())
    switch Int.random(in: 0..<16, using: &random) {
    case 0...3: update(address)
    case 4, 5: try remove(address)
    case 6: removeAll(range)
    case 7: try protect(range)
    case 8:
      #expect(database.isVoid(range) == model.mapped(in: range).isEmpty)
      let pages = model.mapped(in: range).reduce(0) { $0 + $1.span.intersection(range).pages }
      #expect(database.countMapped(in: range) == pages)
    case 9: try copy(range)
    case 10, 11: move(range, to: address)
    case 12, 13: insertRun(range)
    default: try touch(address)
    }
  }

  mutating func update(_ address: VirtualAddress) {
    let isHuge = Int.random(in: 0..<8, using: &random) == 0
    let size = isHuge ? PageSize.twoMiB : .base
    let object = Rig.page(address.raw >> UInt64(size.shift), random.next() % 64, size)
    let other = model.mapped(in: object.span).first { $0.size != size }
    do throws(TranslationError) {
      let change = try database.update(object)
      #expect(other == nil)
      #expect(change.old.entry == model.pages[object.start.raw]?.entry ?? X86Entry(0))
      database.settle(change.takeObligation())
      model.pages[object.start.raw] = object
    } catch .outOfMemory {
      refused.add()
    } catch {
      #expect(error == other.map { .sizeConflict(existing: $0.start, size: $0.size) })
    }
  }

  /// Removes a page; every other time it comes back, which needs no memory.
  mutating func remove(_ address: VirtualAddress) throws {
    guard let object = model.at(address.raw) else {
      #expect(throws: TranslationError.notMapped) {
        database.settle(try database.remove(Rig.page(address.raw >> 12, 0)).takeObligation())
      }
      return
    }
    let found = database.find(address)
    #expect(found.entry == object.entry)
    database.settle(try database.remove(found).takeObligation())
    model.pages[object.start.raw] = nil
    guard Bool.random(using: &random) else { return }
    database.settle(try database.update(found).takeObligation())
    model.pages[object.start.raw] = object
  }
}
