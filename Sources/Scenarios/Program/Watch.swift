// SPDX-License-Identifier: MIT
public import SimMemory
public import VMM

/// A userfaultfd: what its monitor asks for, and what it learns.
public struct Watch {
  /// The descriptor.
  public let descriptor: Descriptor
  /// The program that has it and acts as the monitor.
  public let monitor: Program

  /// Why pages are watched, UFFDIO_REGISTER_MODE_*.
  public struct Mode: OptionSet, Sendable {
    /// The bits.
    public let rawValue: UInt64
    /// Wraps bits.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Pages that are not there.
    public static var missing: Mode { Mode(rawValue: 1) }
    /// Stores to protected pages.
    public static var protected: Mode { Mode(rawValue: 2) }
    /// Pages of a file that are not mapped.
    public static var minor: Mode { Mode(rawValue: 4) }
  }

  /// A command: `ioctl` with a structure of these words.
  public func command(_ name: String, _ number: UInt64, _ words: UInt64...) throws(Errno) {
    let place = monitor.put(words, at: 13 * page)
    monitor.note("\(name):")
    try monitor.call(.ioctl, ["file": descriptor, "command": number, "structure": place])
  }

  /// UFFDIO_API.
  public func agree(features: UInt64 = 0) throws(Errno) {
    try command("UFFDIO_API", 0xC018_AA3F, 0xAA, features, 0)
  }
  /// UFFDIO_REGISTER.
  public func register(_ start: UInt64, pages: UInt64, _ mode: Mode) throws(Errno) {
    try command("UFFDIO_REGISTER", 0xC020_AA00, start, pages * page, mode.rawValue)
  }
  /// UFFDIO_UNREGISTER.
  public func unregister(_ start: UInt64, pages: UInt64) throws(Errno) {
    try command("UFFDIO_UNREGISTER", 0x8010_AA01, start, pages * page)
  }
  /// UFFDIO_WAKE.
  public func wake(_ start: UInt64, pages: UInt64 = 1) throws(Errno) {
    try command("UFFDIO_WAKE", 0x8010_AA02, start, pages * page)
  }
  /// UFFDIO_COPY: UFFDIO_COPY_MODE_DONTWAKE 1, WP 2.
  public func copy(_ start: UInt64, from source: UInt64, pages: UInt64 = 1, mode: UInt64 = 0) throws(Errno) {
    try command("UFFDIO_COPY", 0xC028_AA03, start, source, pages * page, mode)
  }
  /// UFFDIO_ZEROPAGE.
  public func zero(_ start: UInt64, pages: UInt64 = 1) throws(Errno) {
    try command("UFFDIO_ZEROPAGE", 0xC020_AA04, start, pages * page, 0)
  }
  /// UFFDIO_MOVE.
  public func move(_ start: UInt64, from source: UInt64, pages: UInt64 = 1) throws(Errno) {
    try command("UFFDIO_MOVE", 0xC028_AA05, start, source, pages * page, 0)
  }
  /// UFFDIO_WRITEPROTECT, on or off.
  public func protect(_ start: UInt64, pages: UInt64 = 1, _ isOn: Bool = true) throws(Errno) {
    try command("UFFDIO_WRITEPROTECT", 0xC018_AA06, start, pages * page, isOn ? 1 : 0)
  }
  /// UFFDIO_CONTINUE.
  public func proceed(_ start: UInt64, pages: UInt64 = 1) throws(Errno) {
    try command("UFFDIO_CONTINUE", 0xC020_AA07, start, pages * page, 0)
  }
  /// UFFDIO_POISON.
  public func poison(_ start: UInt64, pages: UInt64 = 1) throws(Errno) {
    try command("UFFDIO_POISON", 0xC020_AA08, start, pages * page, 0)
  }
  /// The word of the structure that the last command answered in.
  public func answer(_ index: UInt64) -> UInt64 { monitor.loadWord(monitor.scratch(13 * page) + index * 8) }

  /// The next event; nil when there is none.
  public func event() throws(Errno) -> UserfaultEvent? {
    let event = try monitor.host.userfaultEvent(monitor.pid, descriptor.low)
    monitor.note("event: \(event.map { "\($0.kind)" } ?? "none")")
    return event
  }

  /// The next event must be a fault on this page, for this reason; a store where `isStore`.
  public func expectFault(_ address: UInt64, _ reason: UserfaultReason, isStore: Bool = false) {
    let wanted = "the event of a fault at \(address.text), \(reason), \(isStore ? "a store" : "no store")"
    do {
      guard let event = try event() else { return monitor.scenario.fail(wanted, "no event") }
      if event.kind == .pageFault, event.address.raw == address, event.reason == reason,
        event.isStore == isStore
      {
        return
      }
      monitor.scenario.fail(
        wanted, "\(event.kind) at \(event.address.raw.text), \(event.reason), store: \(event.isStore)")
    } catch { monitor.scenario.fail(wanted, error.name) }
  }

  /// The next event must have these words, as Linux's `struct uffd_msg`; with none there must be no event.
  public func expectEvent(_ words: [UInt64]?) {
    do {
      let got = try event()?.words
      if got != words {
        monitor.scenario.fail("the event \(words.map { "\($0)" } ?? "none")", "\(got ?? [])")
      }
    } catch { monitor.scenario.fail("an event can be read", error.name) }
  }
}

extension Program {
  /// `userfaultfd`, and UFFDIO_API: UFFD_USER_MODE_ONLY 1.
  public func watch(flags: UInt64 = 0, features: UInt64 = 0) throws(Errno) -> Watch {
    let watch = Watch(descriptor: Descriptor(try call(.userfaultfd, ["flags": flags])), monitor: self)
    try watch.agree(features: features)
    return watch
  }

  /// An access must wait for a monitor.
  public func expectWaits(
    _ reason: UserfaultReason, _ kind: AccessKind, _ address: UInt64, _ value: UInt8 = 1
  ) {
    let got = access(kind, address, value)
    if got != .waits(reason) { scenario.fail("a \(kind) at \(address.text) waits (\(reason))", got.text) }
  }

  /// Whether an access to a page waits still.
  public func isWaiting(_ address: UInt64) -> Bool { host.isWaiting(pid, address) }
}
