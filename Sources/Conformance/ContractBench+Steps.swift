// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference
internal import SimMemory

/// What a basic change did, with its obligation settled.
struct ChangeOutcome<Object: TranslationObject> {
  var old: Object?
  var error: TranslationError?
  var isOwed = false
  var flushed = VirtualRange(VirtualAddress(0), VirtualAddress(0))
}

/// What a range function did, with its obligation settled.
struct RangeOutcome {
  var failure: RangeFailure?
  var isOwed = false
  var flushed = VirtualRange(VirtualAddress(0), VirtualAddress(0))
}

// Steps that checks are made of.
extension ContractBench {
  /// A present, writable user page whose frame number follows from its address, so that a crossed page shows.
  func object(_ address: VirtualAddress, _ size: PageSize = .base, shiftedBy frames: UInt64 = 0) -> Object {
    var object = Object(unmappedAt: address, size: size)
    object.isPresent = true
    object.physicalAddress = PhysicalAddress((address.raw & 0x3F_FFFF_FFFF) &+ size.bytes &* (frames &+ 1))
    object.isUser = true
    object.isWritable = true
    object.isExecutable = false
    return object
  }

  /// A page whose contents are in swap.
  func swapped(_ address: VirtualAddress, offset: UInt64 = 77) -> Object {
    var object = Object(unmappedAt: address, size: .base)
    object.swapEntry = SwapEntry(area: 1, offset: offset)
    return object
  }

  func update(_ database: Database, _ object: Object) -> ChangeOutcome<Object> {
    outcome(database) { () throws(TranslationError) in try database.update(object) }
  }

  func remove(_ database: Database, _ object: Object) -> ChangeOutcome<Object> {
    outcome(database) { () throws(TranslationError) in try database.remove(object) }
  }

  func outcome(
    _ database: Database, _ body: () throws(TranslationError) -> Change<Object>
  ) -> ChangeOutcome<Object> {
    do throws(TranslationError) {
      let change = try body()
      var outcome = ChangeOutcome(old: change.old)
      let obligation = change.takeObligation()
      outcome.isOwed = obligation.isOwed
      outcome.flushed = obligation.range
      database.settle(obligation)
      return outcome
    } catch { return ChangeOutcome(error: error) }
  }

  func range(
    _ database: Database, _ body: () throws(RangeFailure) -> FlushObligation
  ) -> RangeOutcome {
    do throws(RangeFailure) {
      let obligation = try body()
      let outcome = RangeOutcome(isOwed: obligation.isOwed, flushed: obligation.range)
      database.settle(obligation)
      return outcome
    } catch { return RangeOutcome(failure: error) }
  }

  /// Maps objects that must fit.
  func insert(_ database: Database, _ objects: Object...) throws { try insert(database, objects) }

  func insert(_ database: Database, _ objects: [Object]) throws {
    for object in objects {
      if let error = update(database, object).error { throw stop("\(object.summary) is mapped", "\(error)") }
    }
  }

  /// The mapped objects that touch `range`, collected with `find` alone, the way the contract says a cursor moves.
  ///
  /// A driver that knows small voids only would make this long: a large void is looked at near its edges, which are
  /// where `expected` objects are.
  func mapped(
    _ database: Database, _ range: VirtualRange, expected: [Object] = []
  ) throws -> [Object] {
    var found: [Object] = []
    var cursor = range.start
    var looks = 0
    while cursor < range.end {
      let object = database.find(cursor)
      guard object.span.contains(cursor) else { throw stop("an object that holds \(cursor)", object.summary) }
      looks = object.isMapped ? 0 : looks + 1
      if object.isMapped { found.append(object) }
      cursor = Swift.min(range.end, object.end)
      if looks == 1000 {
        let next = expected.first { $0.start >= cursor }?.start ?? range.end
        cursor = Swift.max(cursor, VirtualAddress(next.raw - 0x10000))
        looks = 0
      }
    }
    return found
  }

  func state(_ database: Database, _ range: VirtualRange, is expected: [Object], _ what: String) throws {
    same(try mapped(database, range, expected: expected), expected, what)
    checkHardware(database, range, expected)
  }

  func fails<Value>(
    with expected: TranslationError, _ what: String, _ body: () throws(TranslationError) -> Value
  ) {
    do throws(TranslationError) {
      _ = try body()
      fail("\(what): \(expected)", "success")
    } catch { equal(error, expected, what) }
  }

  /// Takes what is in a CPU's mailbox.
  func drain(_ cpu: Int) -> [Invalidation] {
    var requests: [Invalidation] = []
    platform.cpu(cpu).mailbox.drain { requests.append($0) }
    return requests
  }

  /// Whether requests make a CPU forget `address` of `database`.
  func covers(_ requests: [Invalidation], _ address: VirtualAddress, of database: Database) -> Bool {
    requests.contains { request in
      (request.scope == .everyone || request.scope == .space(database.context.spaceID))
        && (request.range?.contains(address) ?? true)
    }
  }

  /// Whether CPU 1, which runs on `database`, was told about all of `objects` once a range function was settled. A
  /// function may have flushed by itself (before it frees tables), and owes nothing any more then.
  func isTold(_ database: Database, _ objects: [Object]) -> Bool {
    let requests = drain(1)
    return objects.allSatisfy { object in
      let last = VirtualAddress(object.start.raw + object.size.mask)
      return !object.isPresent
        || covers(requests, object.start, of: database) && covers(requests, last, of: database)
    }
  }

  /// Compares what hardware sees in `range` with `expected`, at the start and the last page of every object.
  func checkHardware(_ database: Database, _ range: VirtualRange, _ expected: [Object]) {
    guard let hardware = subject.hardware else { return }
    run(database, on: 0)
    let root = service.registers[0]
    for object in expected where object.isPresent && object.isReadable && !object.hasNumaHint {
      for address in [object.start, VirtualAddress(object.start.raw + (object.size.mask & ~0xfff))] {
        let view = hardware(platform.memory, root, address)
        let wanted = HardwareView(
          physicalAddress: object.physicalAddress, size: object.size, isWritable: object.isWritable)
        if view != wanted { fail("hardware at \(address) sees \(wanted)", view.map { "\($0)" } ?? "nothing") }
      }
    }
    for address in [range.start, VirtualAddress(range.end.raw - 1)]
    where !expected.contains(where: { $0.span.contains(address) }) {
      if let view = hardware(platform.memory, root, address) {
        fail("hardware at \(address) sees nothing", "\(view)")
      }
    }
  }

  /// Runs `operation` with only n allocations succeeding, for n from 0 until it succeeds. After every failure the
  /// mapped objects in `range` must be what they were, apart from what `allowed` explains.
  func starve(
    _ range: VirtualRange, _ what: String, setUp: (Database) throws -> Void,
    _ operation: (Database) -> TranslationError?, afterFailure: ((Database, [Object]) throws -> Void)? = nil
  ) throws {
    for successes in 0..<200 {
      let database = try makeDatabase()
      try setUp(database)
      let before = try mapped(database, range)
      frames.injectFailure(after: successes, staysBroken: true)
      let error = operation(database)
      frames.stopInjectingFailures()
      if let error {
        equal(error, .outOfMemory, "\(what) with \(successes) frames left")
        if let afterFailure {
          try afterFailure(database, before)
        } else {
          try state(database, range, is: before, "\(what) with \(successes) frames left changes nothing")
        }
        if let again = operation(database) { fail("\(what) succeeds once there is memory", "\(again)") }
      }
      run(service.kernelDatabase, on: 0)
      destroy(database)
      if error == nil { return }
    }
    fail("\(what) succeeds with 200 frames", "it still fails")
  }
}
