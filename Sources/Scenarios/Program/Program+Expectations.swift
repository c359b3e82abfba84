// SPDX-License-Identifier: MIT
public import SimMemory
public import VMM

// What must be so. Nothing here throws: what is wrong is recorded, and the body goes on.
extension Program {
  /// `expect(p.lockedPages, 3, "locked pages")`.
  public func expect<Value: Equatable>(_ got: Value, _ expected: Value, _ what: @autoclosure () -> String) {
    if got != expected { scenario.fail("\(what()): \(expected)", "\(got)") }
  }

  /// `expect(isHuge, "the page is huge")`.
  public func expect(
    _ condition: Bool, _ what: @autoclosure () -> String, got: @autoclosure () -> String = "it is not so"
  ) {
    if !condition { scenario.fail(what(), got()) }
  }

  /// The body must be refused with `expected`: `p.expectErrno(.einval) { try p.unmap(at + 1) }`.
  public func expectErrno<Value>(
    _ expected: Errno..., when what: @autoclosure () -> String = "", _ body: () throws -> Value
  ) {
    let names = expected.map(\.name).joined(separator: " or ")
    let words = what().isEmpty ? names : "\(names) \(what())"
    do {
      let value = try body()
      scenario.fail(words, value is Void ? "success" : "success: \((value as? UInt64)?.text ?? "\(value)")")
    } catch let error as Errno {
      if !expected.contains(error) { scenario.fail(words, error.name) }
    } catch { scenario.fail(words, "\(error)") }
  }

  /// The body must succeed; unlike a plain `try`, the rest of the case goes on when it does not.
  public func expectSuccess<Value>(_ what: String, _ body: () throws -> Value) {
    do { _ = try body() } catch { scenario.fail("\(what) succeeds", (error as? Errno)?.name ?? "\(error)") }
  }

  /// A load must find `byte`.
  public func expectLoad(_ address: UInt64, _ byte: UInt8) {
    let got = access(.load, address)
    if got != .byte(byte) { scenario.fail("\(byte) at \(address.text)", got.text) }
  }

  /// Loads must find `bytes`.
  public func expectLoads(_ address: UInt64, _ bytes: [UInt8]) {
    for (index, byte) in bytes.enumerated() { expectLoad(address + UInt64(index), byte) }
  }

  /// Loads must find `text`.
  public func expectLoads(_ address: UInt64, _ text: String) { expectLoads(address, Array(text.utf8)) }

  /// Every byte reads as zero: both ends of each page, and between them every 67th byte; of more than two pages only three
  /// bytes of each page.
  public func expectZero(_ address: UInt64, bytes: UInt64 = 4096) {
    for start in stride(from: address, to: address + bytes, by: Int(page)) {
      let end = min(start + page, address + bytes)
      guard bytes <= 2 * page else {
        for place in [start, start + (end - start) / 2, end - 1] { expectLoad(place, 0) }
        continue
      }
      for place in start..<end where place < start + 8 || place >= end - 8 || (place - start) % 67 == 0 {
        expectLoad(place, 0)
      }
    }
  }

  /// An access must be refused with a signal: `p.expectSignal(.bus, .store, at + page)`.
  public func expectSignal(_ signal: Signal, _ kind: AccessKind, _ address: UInt64) {
    let got = access(kind, address, 1)
    if case .refused(let refusal) = got, signal.covers(refusal) { return }
    scenario.fail("\(signal.text) for a \(kind) at \(address.text)", got.text)
  }

  /// An access must succeed.
  public func expectAllowed(_ kind: AccessKind, _ address: UInt64) {
    let got = access(kind, address, 1)
    if case .byte = got { return }
    scenario.fail("a \(kind) at \(address.text) is allowed", got.text)
  }

  /// The layout from `start` on must be exactly this: areas that reach out of the pattern do not fit.
  ///
  /// `p.expectLayout(at, [.area(1), .hole(2), .area(1, .read, shared: true, offset: 4096)])`
  public func expectLayout(_ start: UInt64, _ pattern: [AreaPattern]) {
    let pages = pattern.reduce(0) { $0 + $1.pages }
    let found = AreaPattern.found(layout, start, pages: pages)
    if found.count == pattern.count, zip(found, pattern).allSatisfy({ $0.fits($1) }) { return }
    scenario.fail(
      "the layout from \(start.text): \(pattern.map(\.text).joined(separator: ", "))",
      found.map(\.text).joined(separator: ", "))
  }

  /// The body must cause exactly these faults.
  public func expectFaults(
    minor: UInt64 = 0, major: UInt64 = 0, copyOnWrite: UInt64 = 0, huge: UInt64 = 0, refused: UInt64 = 0,
    _ body: () throws -> Void
  ) rethrows {
    let before = faults
    try body()
    let now = faults
    let got = [
      ("minor", now.minor - before.minor, minor), ("major", now.major - before.major, major),
      ("copy-on-write", now.copyOnWrite - before.copyOnWrite, copyOnWrite),
      ("huge", now.huge - before.huge, huge), ("refused", now.refused - before.refused, refused),
    ]
    for (name, count, wanted) in got where count != wanted {
      scenario.fail("\(wanted) \(name) faults", "\(count)")
    }
  }

  /// mincore must say this of the pages from `start` on.
  public func expectResident(_ start: UInt64, _ expected: [Bool]) {
    do {
      let got = try mincore(start, pages: UInt64(expected.count))
      if got != expected {
        let text = { (bits: [Bool]) in bits.map { $0 ? "1" : "0" }.joined() }
        scenario.fail("mincore at \(start.text): \(text(expected))", text(got))
      }
    } catch { scenario.fail("mincore at \(start.text) succeeds", error.name) }
  }
}
