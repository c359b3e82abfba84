// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// How a driver's answers are compared with the model's.
extension Shadowed {
  /// Writes the call down and takes over the bits that hardware set since the last one.
  @inlinable func begin(_ name: StaticString, _ range: VirtualRange, _ object: Object? = nil) {
    shadow.log.note(
      ShadowedCall(
        name: name, space: context.spaceID, range: range, object: object.map(ModelObject.init(describing:))))
    guard shadow.hardwareSetsBits else { return }
    for known in model.objects(touching: range) {
      let real = base.find(known.start)
      if real.firstDifference(from: known, hardwareMayAdd: true) == nil { model.put(real) }
    }
  }

  /// Compares the state of the range that a call touched.
  @inlinable func finish(_ range: VirtualRange) {
    shadow.repeatRoots(of: base)
    compareState(range)
  }

  /// Only the first difference counts, and only that is put into words.
  @inlinable func report(_ expected: @autoclosure () -> String, _ got: @autoclosure () -> String) {
    if !shadow.log.hasDivergence { shadow.log.report(expected: expected(), got: got()) }
  }

  /// Compares all objects in `range`, by search and by iteration, and the edges of the range.
  @inlinable func compareState(_ range: VirtualRange) {
    let expected = model.objects(touching: range)
    for object in expected { compare(base.find(object.start), object, "find \(object.start)") }
    check(base.find(range.start), at: range.start)
    let last = VirtualAddress(range.end.raw &- 1)
    check(base.find(last), at: last)
    // A driver may know voids page by page only: a large range is iterated where the model has something.
    guard range.pages > 2048 else { return compareIteration(range, expected[...]) }
    var rest = expected[...]
    while let first = rest.first {
      var last = first
      var count = 0
      for object in rest {
        if object.start.raw > last.start.raw &+ last.size.bytes &+ 1 << 18 { break }
        last = object
        count += 1
      }
      let edge: UInt64 = 1 << 16
      let low = first.start.raw > edge ? VirtualAddress(first.start.raw - edge) : first.start
      let area = VirtualRange(Swift.max(range.start, low), Swift.min(range.end, last.end.advanced(by: edge)))
      if !area.isEmpty { compareIteration(area, rest.prefix(count)) }
      rest = rest.dropFirst(count)
    }
  }

  /// Compares what iteration over `range` shows.
  @inlinable func compareIteration(_ range: VirtualRange, _ expected: ArraySlice<Object>) {
    var seen = expected.startIndex
    var iterator = base.makeIterator(over: range)
    while let object = base.nextMapped(&iterator) {
      guard seen < expected.endIndex else {
        report("no further object in \(range)", object.summary)
        break
      }
      compare(object, expected[seen], "iteration over \(range)")
      seen += 1
    }
    base.endIteration(iterator)
    if seen < expected.endIndex {
      report("\(expected[seen].summary) in \(range)", "the end of the iteration")
    }
  }

  /// Compares what the driver found for `address`. A driver may know less about a void, but nothing wrong.
  @inlinable func check(_ found: Object, at address: VirtualAddress) {
    guard let expected = model.mapped(at: address) else {
      if found.isMapped { return report("\(address) is unmapped", found.summary) }
      if !found.start.isAligned(to: found.size) || address.aligned(down: found.size) != found.start {
        return report("an aligned void around \(address)", found.summary)
      }
      if let inside = model.first(touching: found.span) {
        report("a void that leaves out \(inside.summary)", found.summary)
      }
      return
    }
    compare(found, expected, "find \(address)")
  }

  @inlinable func compare(_ found: Object, _ expected: Object, _ place: @autoclosure () -> String) {
    if found.hasAllAttributes(of: expected) { return }
    if let attribute = found.firstDifference(from: expected, hardwareMayAdd: shadow.hardwareSetsBits) {
      report("\(place()): \(expected.summary)", "\(found.summary) (\(attribute.name) differs)")
    }
  }

  @inlinable func compare(_ found: [Object], _ expected: [Object], _ place: @autoclosure () -> String) {
    if found.count != expected.count {
      return report(
        "\(place()): \(expected.count) objects \(expected.map(\.summary))",
        "\(found.count) objects \(found.map(\.summary))")
    }
    for (mine, theirs) in zip(found, expected) { compare(mine, theirs, place()) }
  }

  /// An error must be one that the model has too. Memory may be short at any time.
  @inlinable func check(_ error: TranslationError, isOneOf objections: [TranslationError]) {
    if error == .outOfMemory || objections.contains(error) { return }
    report(objections.isEmpty ? "success" : "one of \(objections)", "\(error)")
  }

  /// Compares the old object and what is owed.
  @inlinable func check(_ change: consuming Change<Object>, before: Object, after: Object?) -> Change<Object>
  {
    let old = change.old
    if before.isMapped {
      compare(old, before, "the object before the change")
    } else if old.isMapped {
      report("no object before the change", old.summary)
    }
    let obligation = change.takeObligation()
    return Change(old: old, obligation: check(obligation, for: [(before, after)], isOneStep: true))
  }

  /// What is owed must cover every translation that a TLB may hold and that is stale now; where nothing was in memory
  /// before, nothing may be owed.
  ///
  /// A move that hands whole tables over owes a flush even where the tables map nothing that is in memory: the entry that
  /// leads to a table is present, and processors may cache it although no translation uses it (Intel SDM vol. 3A
  /// §4.10.3.1). Without the flush (§4.10.4.2) a walk through that cache would reach the table under its old addresses,
  /// and see what comes to the new ones. A table spans at least the smallest huge page, so the flush has its edges there.
  /// - Parameter handedOver: the span of a table that may have been handed over; the base page if none can have been.
  @inlinable func check(
    _ obligation: consuming FlushObligation, for changes: [(before: Object, after: Object?)],
    isOneStep: Bool = false, handedOver: PageSize = .base
  ) -> FlushObligation {
    let isSettled = !isOneStep && hasFlushedByItself
    let stale = changes.filter { $0.before.leavesStaleTranslation(after: $0.after) }
    if let first = stale.first {
      if !obligation.isOwed && !isSettled {
        report("a flush of \(first.before.span) is owed", "none")
      } else if obligation.isOwed && !isSettled,
        let missed = stale.first(where: { !obligation.range.contains($0.before.span) })
      {
        report("the owed flush covers \(missed.before.span)", "\(obligation.range)")
      }
    } else if obligation.isOwed, !changes.contains(where: { $0.before.isPresent }),
      changes.isEmpty || handedOver == .base || !obligation.range.start.isAligned(to: handedOver)
        || !obligation.range.end.isAligned(to: handedOver)
    {
      report("no flush is owed", "\(obligation.range)")
    }
    return obligation
  }

  /// Whether every CPU that runs on the database has been told something: a range function that frees tables flushes
  /// before that and owes only the rest. What exactly was told is checked by the contract suite.
  @inlinable var hasFlushedByItself: Bool {
    var cpus = context.runningOn
    while cpus != 0 {
      if context.platform.cpu(cpus.trailingZeroBitCount).mailbox.isEmpty { return false }
      cpus &= cpus - 1
    }
    return true
  }
}

extension TranslationObject {
  /// Whether a TLB that holds this object would do something wrong after it was replaced by `after`.
  ///
  /// Widened rights and a cleared accessed bit do no harm: hardware walks again before it faults, and a late accessed
  /// bit only makes a page look older.
  @inlinable public func leavesStaleTranslation(after: Self?) -> Bool {
    guard isPresent, isReadable, !hasNumaHint else { return false }
    guard let after, after.isPresent, after.size == size else { return true }
    if after.physicalAddress != physicalAddress || after.hasNumaHint { return true }
    if isDirty && !after.isDirty || isGlobal != after.isGlobal || cacheMode != after.cacheMode { return true }
    return isWritable && !after.isWritable || isExecutable && !after.isExecutable
      || isUser != after.isUser || !after.isReadable
  }
}
