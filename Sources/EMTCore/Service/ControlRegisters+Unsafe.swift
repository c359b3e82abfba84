// SPDX-License-Identifier: MIT

/// The translation control registers of all CPUs, and which database each CPU runs on.
///
/// Services keep one of these, so that switching is the same everywhere: bookkeeping in the contexts, the flush that
/// a CPU missed while away, then the registers as one set.
///
/// SAFETY: the service owns it and calls `release` once; a CPU's slot is only changed by that CPU.
@safe @frozen public struct ControlRegisters<Database: TranslationDatabase>: @unchecked Sendable {
  /// What the hardware reads.
  public typealias Root = Database.Service.Root
  @usableFromInline struct Slot {
    @usableFromInline var root: Root
    @usableFromInline var database: Database
  }
  @usableFromInline let slots: UnsafeMutablePointer<Slot>
  /// How many CPUs there are.
  public let count: Int

  /// Registers for `count` CPUs that all run on `database` with `root`.
  public init(count: Int, database: Database, root: Root) {
    unsafe slots = .allocate(capacity: count)
    unsafe slots.initialize(repeating: Slot(root: root, database: database), count: count)
    self.count = count
    for cpu in 0..<count { _ = database.context.arrive(cpu) }
  }

  /// What the hardware of `cpu` walks from.
  @inlinable public subscript(cpu: Int) -> Root { unsafe slots[cpu].root }

  /// The database that `cpu` runs on.
  public func database(on cpu: Int) throws(ServiceError) -> Database {
    guard cpu >= 0, cpu < count else { throw .noSuchCPU(cpu) }
    return unsafe slots[cpu].database
  }

  /// Makes `cpu` run on `database`.
  /// - Returns: the database that it ran on before.
  public func load(_ database: Database, root: Root, on cpu: Int) throws(ServiceError) -> Database {
    guard cpu >= 0, cpu < count else { throw .noSuchCPU(cpu) }
    let previous = unsafe slots[cpu].database
    previous.context.leave(cpu)
    database.context.platform.cpu(cpu).meter.count(.spaceSwitch)
    database.context.resume(cpu)
    unsafe slots[cpu] = Slot(root: root, database: database)
    return previous
  }

  /// Frees the registers at shutdown.
  public func release() {
    for cpu in 0..<count { unsafe slots[cpu].database.context.leave(cpu) }
    unsafe slots.deinitialize(count: count)
    unsafe slots.deallocate()
  }
}
