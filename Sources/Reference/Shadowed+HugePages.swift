// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Customizable 7–12 on both sides.
extension Shadowed {
  /// Customizable 7.
  @inlinable public func isEligible(_ size: PageSize, for page: VirtualRange, in mapping: VirtualRange)
    -> Bool
  {
    begin("isEligible", page)
    let answer = base.isEligible(size, for: page, in: mapping)
    let expected =
      context.pageSizes.contains(size) && page.start.isAligned(to: size) && page.bytes == size.bytes
      && mapping.contains(page) && model.first(touching: page) == nil
    if answer != expected { report("isEligible(\(size), \(page)) == \(expected)", "\(answer)") }
    return answer
  }

  /// Customizable 8.
  @inlinable public func smallerSize(than size: PageSize) -> PageSize? {
    let answer = base.smallerSize(than: size)
    let expected = context.pageSizes.smaller(than: size)
    if answer != expected {
      report("the size below \(size) is \(expected?.description ?? "none")", answer?.description ?? "none")
    }
    return answer
  }

  /// Customizable 9.
  @inlinable public func insertRun(_ prototype: Object, count: UInt64) throws(RangeFailure) -> FlushObligation
  {
    let run = VirtualRange(prototype.start, bytes: prototype.size.bytes &* count)
    begin("insertRun", run, prototype)
    defer { finish(run) }
    do throws(RangeFailure) {
      let owed = try base.insertRun(prototype, count: count)
      return check(owed, for: insertIntoModel(prototype, count, nil))
    } catch {
      _ = insertIntoModel(prototype, count, error)
      throw error
    }
  }

  @inlinable func insertIntoModel(
    _ prototype: Object, _ count: UInt64, _ failure: RangeFailure?
  ) -> [(before: Object, after: Object?)] {
    var changes: [(before: Object, after: Object?)] = []
    for step in 0..<count {
      let offset = step &* prototype.size.bytes
      let page = prototype.relocated(
        to: prototype.start.advanced(by: offset), size: prototype.size,
        physicalAddress: prototype.physicalAddress.advanced(by: offset))
      if page.start == failure?.firstNotDone {
        check(failure?.reason ?? .outOfMemory, isOneOf: model.objections(toUpdating: page))
        return changes
      }
      if let objection = model.objections(toUpdating: page).first {
        report("\(objection) at \(page.start)", failure.map { "\($0)" } ?? "success")
        return changes
      }
      changes.append((model.find(page.start), page))
      model.put(page)
    }
    if let failure { report("success, or a failure at the start of a page of the run", "\(failure)") }
    return changes
  }

  /// Customizable 10.
  @inlinable public func split(_ object: Object) throws(TranslationError) {
    begin("split", object.span, object)
    defer { finish(object.span) }
    var objections = model.objections(toRemoving: object)
    let smaller = context.pageSizes.smaller(than: object.size)
    if smaller == nil { objections.append(.unsupportedSize(object.size)) }
    do throws(TranslationError) { try base.split(object) } catch {
      check(error, isOneOf: objections)
      throw error
    }
    guard objections.isEmpty, let smaller else { return report("one of \(objections)", "success") }
    let old = model.find(object.start)
    model.take(old)
    for offset in stride(from: 0, to: old.size.bytes, by: Int(smaller.bytes)) {
      model.put(
        old.relocated(
          to: old.start.advanced(by: offset), size: smaller,
          physicalAddress: old.physicalAddress.advanced(by: offset)))
    }
  }

  /// Customizable 11.
  @inlinable public func collapse(into huge: Object, copyContents: (Object) -> Bool) throws(TranslationError)
  {
    begin("collapse", huge.span, huge)
    defer { finish(huge.span) }
    let old = model.objects(touching: huge.span)
    let objections =
      model.objections(toUpdating: huge).filter { objection in
        if case .sizeConflict(_, let size) = objection { return size >= huge.size }
        return true
      } + old.filter { $0.size == huge.size }.map { .sizeConflict(existing: $0.start, size: $0.size) }
    var seen: [Object] = []
    var isRefused = false
    do throws(TranslationError) {
      try base.collapse(into: huge) { object in
        seen.append(object)
        let isCopied = copyContents(object)
        isRefused = isRefused || !isCopied
        return isCopied
      }
    } catch {
      check(error, isOneOf: objections + (isRefused ? [.refusedByCaller] : []))
      throw error
    }
    guard objections.isEmpty, !isRefused else { return report("an error", "success") }
    compare(seen, old.filter(\.isPresent), "objects shown by collapse")
    for object in old { model.take(object) }
    model.put(huge)
  }

  /// Customizable 12.
  @inlinable public func prepareForSplit(_ page: VirtualRange) throws(TranslationError) {
    begin("prepareForSplit", page)
    defer { finish(page) }
    try base.prepareForSplit(page)
  }
}
