// SPDX-License-Identifier: MIT

// Registers of a service that wraps another one. Which CPU runs where is the inner service's bookkeeping; the wrapper
// only shows the same contents in terms of its own database type.
extension ControlRegisters {
  init(slots: UnsafeMutablePointer<Slot>, count: Int) {
    unsafe self.slots = unsafe slots
    self.count = count
  }

  /// The same registers, read through a database type that wraps this one and stores nothing but it.
  ///
  /// SAFETY: the wrapper's only stored property is the database, so both have one layout (checked).
  public func viewed<Wrapper>(through wrapper: Wrapper.Type) -> ControlRegisters<Wrapper>
  where Wrapper: TranslationDatabase, Wrapper.Service.Root == Root {
    precondition(
      MemoryLayout<Wrapper>.size == MemoryLayout<Database>.size
        && MemoryLayout<Wrapper>.stride == MemoryLayout<Database>.stride,
      "a transparent wrapper stores nothing but the database")
    return unsafe ControlRegisters<Wrapper>(
      slots: UnsafeMutableRawPointer(slots).assumingMemoryBound(to: ControlRegisters<Wrapper>.Slot.self),
      count: count)
  }

  /// Registers that repeat those of an inner service, for a wrapper that stores more than the inner database.
  ///
  /// No CPU is booked in; call `repeatLoad` and `repeatRoot` when the inner ones change, `releaseCopy` at the end.
  public init(repeating count: Int, database: Database, root: (Int) -> Root) {
    unsafe slots = .allocate(capacity: count)
    self.count = count
    for cpu in 0..<count { unsafe (slots + cpu).initialize(to: Slot(root: root(cpu), database: database)) }
  }

  /// Notes what the inner service loaded.
  public func repeatLoad(_ database: Database, root: Root, on cpu: Int) {
    unsafe slots[cpu] = Slot(root: root, database: database)
  }

  /// Notes that the inner service changed the root of the database that `cpu` runs on.
  public func repeatRoot(_ root: Root, on cpu: Int) { unsafe slots[cpu].root = root }

  /// Frees registers made with `init(repeating:database:root:)`.
  public func releaseCopy() {
    unsafe slots.deinitialize(count: count)
    unsafe slots.deallocate()
  }
}
