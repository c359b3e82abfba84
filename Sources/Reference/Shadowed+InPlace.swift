// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Customizable 31–35 on both sides.
extension Shadowed {
  /// Customizable 31.
  @inlinable public func updateAttributes(
    at address: VirtualAddress, _ body: (inout Object) -> Void
  ) throws(TranslationError) -> Change<Object> {
    let before = beginInPlace("updateAttributes", address)
    defer { finish(before, address) }
    var after = before
    do throws(TranslationError) {
      let change = try base.updateAttributes(at: address) { object in
        body(&object)
        after = object
      }
      guard before.isMapped else {
        report("notMapped", "success")
        return change
      }
      model.put(after)
      return check(change, before: before, after: after)
    } catch {
      checkInPlace(error, isPossible: before.isMapped)
      throw error
    }
  }

  /// Customizable 32.
  @inlinable public func testAndClearAccessed(at address: VirtualAddress) throws(TranslationError) -> Bool {
    let before = beginInPlace("testAndClearAccessed", address)
    defer { finish(before, address) }
    do throws(TranslationError) {
      let wasSet = try base.testAndClearAccessed(at: address)
      if wasSet != before.isAccessed { report("accessed was \(before.isAccessed)", "\(wasSet)") }
      change(before) { $0.isAccessed = false }
      return wasSet
    } catch {
      checkInPlace(error, isPossible: before.isPresent)
      throw error
    }
  }

  /// Customizable 33.
  @inlinable public func testAndClearDirty(at address: VirtualAddress) throws(TranslationError) -> TestedBit {
    let before = beginInPlace("testAndClearDirty", address)
    defer { finish(before, address) }
    do throws(TranslationError) {
      let bit = try base.testAndClearDirty(at: address)
      let wasSet = bit.wasSet
      if wasSet != before.isDirty { report("dirty was \(before.isDirty)", "\(wasSet)") }
      let after = change(before) { $0.isDirty = false }
      return TestedBit(wasSet: wasSet, obligation: check(bit.takeObligation(), for: [(before, after)]))
    } catch {
      checkInPlace(error, isPossible: before.isPresent)
      throw error
    }
  }

  /// Customizable 34.
  @inlinable public func setAccessed(at address: VirtualAddress, alsoDirty: Bool) throws(TranslationError) {
    let before = beginInPlace(alsoDirty ? "setAccessed, dirty" : "setAccessed", address)
    defer { finish(before, address) }
    do throws(TranslationError) { try base.setAccessed(at: address, alsoDirty: alsoDirty) } catch {
      checkInPlace(error, isPossible: before.isPresent)
      throw error
    }
    change(before) { object in
      object.isAccessed = true
      if alsoDirty { object.isDirty = true }
    }
  }

  /// Customizable 35.
  @inlinable public func makeWritable(at address: VirtualAddress) throws(TranslationError) {
    let before = beginInPlace("makeWritable", address)
    defer { finish(before, address) }
    do throws(TranslationError) { try base.makeWritable(at: address) } catch {
      checkInPlace(error, isPossible: before.isPresent)
      throw error
    }
    change(before) { object in
      object.isWritable = true
      object.isDirty = true
      object.isAccessed = true
    }
  }

  /// Compares the page, or the base page at `address` where the model knows of none: a void may be half the space.
  @inlinable func finish(_ before: Object, _ address: VirtualAddress) {
    finish(before.isMapped ? before.span : VirtualRange(page: address, .base))
  }

  @inlinable func beginInPlace(_ name: StaticString, _ address: VirtualAddress) -> Object {
    begin(name, VirtualRange(page: address, .base))
    return model.find(address)
  }

  @inlinable func checkInPlace(_ error: TranslationError, isPossible: Bool) {
    check(error, isOneOf: isPossible ? [] : [.notMapped])
  }

  @inlinable @discardableResult
  func change(_ before: Object, _ body: (inout Object) -> Void) -> Object {
    guard before.isPresent else {
      report("notMapped at \(before.start)", "success")
      return before
    }
    var after = before
    body(&after)
    model.put(after)
    return after
  }
}
