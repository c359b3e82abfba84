// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Customizable 13–18 on both sides. The model does its part afterwards, as far as the driver got.
extension Shadowed {
  /// Customizable 13.
  @inlinable public func isVoid(_ range: VirtualRange) -> Bool {
    begin("isVoid", range)
    let answer = base.isVoid(range)
    let expected = range.isEmpty || model.first(touching: range) == nil
    if answer != expected { report("isVoid(\(range)) == \(expected)", "\(answer)") }
    return answer
  }

  /// Customizable 14.
  @inlinable public func countMapped(in range: VirtualRange) -> UInt64 {
    begin("countMapped", range)
    let answer = base.countMapped(in: range)
    let expected = model.objects(touching: range).reduce(0) { $0 + $1.span.intersection(range).pages }
    if answer != expected { report("countMapped(\(range)) == \(expected)", "\(answer)") }
    return answer
  }

  /// Customizable 15.
  @inlinable public func removeAll(
    in range: VirtualRange, _ visit: (Object) -> Void
  ) throws(RangeFailure) -> FlushObligation {
    begin("removeAll", range)
    defer { finish(range) }
    var seen: [Object] = []
    do throws(RangeFailure) {
      let owed = try base.removeAll(in: range) { object in
        seen.append(object)
        visit(object)
      }
      return check(owed, for: removeFromModel(done(in: range, nil), seen).map { ($0, nil) })
    } catch {
      _ = removeFromModel(done(in: range, error), seen)
      throw error
    }
  }

  @inlinable func removeFromModel(_ objects: [Object], _ seen: [Object]) -> [Object] {
    compare(seen, objects, "objects shown by removeAll")
    for object in objects { model.take(object) }
    return objects
  }

  /// Customizable 16.
  @inlinable public func setProtection(
    in range: VirtualRange, to protection: Protection
  ) throws(RangeFailure) -> FlushObligation {
    begin(protection.isWritable ? "setProtection, writable" : "setProtection", range)
    defer { finish(range) }
    do throws(RangeFailure) {
      let owed = try base.setProtection(in: range, to: protection)
      return check(owed, for: protectInModel(done(in: range, nil), protection))
    } catch {
      _ = protectInModel(done(in: range, error), protection)
      throw error
    }
  }

  @inlinable func protectInModel(
    _ objects: [Object], _ protection: Protection
  ) -> [(before: Object, after: Object?)] {
    objects.filter(\.isPresent).map { object in
      var changed = object
      changed.setProtection(protection)
      model.put(changed)
      return (object, changed)
    }
  }

  /// Customizable 17.
  @inlinable public func copy(
    _ range: VirtualRange, into target: Self, decide: (Object) -> CopyDecision, copied: (Object) -> Void
  ) throws(RangeFailure) -> FlushObligation {
    begin("copy", range)
    defer {
      finish(range)
      target.finish(range)
    }
    var seen: [Object] = []
    do throws(RangeFailure) {
      let owed = try base.copy(range, into: target.base, decide: decide) { object in
        seen.append(object)
        copied(object)
      }
      return check(owed, for: copyInModel(done(in: range, nil), target, decide, seen))
    } catch {
      _ = copyInModel(done(in: range, error), target, decide, seen)
      throw error
    }
  }

  @inlinable func copyInModel(
    _ objects: [Object], _ target: Self, _ decide: (Object) -> CopyDecision, _ seen: [Object]
  ) -> [(before: Object, after: Object?)] {
    var changes: [(before: Object, after: Object?)] = []
    let chosen = objects.filter { decide($0) != .skip }
    compare(seen, chosen, "objects shown by copy")
    for object in chosen {
      var shared = object
      if decide(object) == .shareProtected, object.isPresent, object.isWritable {
        shared.isWritable = false
        model.put(shared)
        changes.append((object, shared))
      }
      target.model.put(shared)
    }
    return changes
  }

  /// Customizable 18.
  @inlinable public func move(_ range: VirtualRange, to start: VirtualAddress) throws(RangeFailure)
    -> FlushObligation
  {
    begin("move", range, Object(unmappedAt: start, size: .base))
    defer {
      finish(range)
      finish(VirtualRange(start, bytes: range.bytes))
    }
    do throws(RangeFailure) {
      let owed = try base.move(range, to: start)
      let span = context.pageSizes.all.first { $0 > .base } ?? .base
      let keepsPlaces = (start.raw ^ range.start.raw) & span.mask == 0
      return check(
        owed, for: moveInModel(done(in: range, nil, movedTo: start), range, start),
        handedOver: keepsPlaces ? span : .base)
    } catch {
      _ = moveInModel(done(in: range, error, movedTo: start), range, start)
      throw error
    }
  }

  @inlinable func moveInModel(
    _ objects: [Object], _ range: VirtualRange, _ start: VirtualAddress
  ) -> [(before: Object, after: Object?)] {
    objects.map { object in
      model.take(object)
      model.put(object.moved(to: start.advanced(by: object.start.raw &- range.start.raw)))
      return (object, nil)
    }
  }

  /// Which objects a range function has handled, given how it ended; reports an end that the model does not expect.
  @inlinable func done(
    in range: VirtualRange, _ failure: RangeFailure?, movedTo start: VirtualAddress? = nil
  ) -> [Object] {
    let touching = model.objects(touching: range)
    let obstacle = touching.first { object in
      let target = start.map { $0.advanced(by: object.start.raw &- range.start.raw) } ?? object.start
      return !range.contains(object.span) || !target.isAligned(to: object.size)
    }
    let expected = obstacle.map {
      RangeFailure(
        firstNotDone: Swift.max($0.start, range.start),
        reason: .sizeConflict(existing: $0.start, size: $0.size))
    }
    if failure?.reason != .outOfMemory, failure != expected {
      report(expected.map { "\($0)" } ?? "success", failure.map { "\($0)" } ?? "success")
    }
    let end = failure?.firstNotDone ?? range.end
    return touching.filter { range.contains($0.span) && $0.start < end }
  }
}
