// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference
internal import SimMemory

/// A booted machine for one check: makes databases, records what is wrong, and takes everything down again.
final class ContractBench<Database: TranslationDatabase> {
  typealias Object = Database.Object

  let subject: ContractSubject<Database>
  let clause: String
  let check: String
  let machine: SimulatedPlatform
  let service: Database.Service
  var failures: [ContractFailure] = []
  private var databases: [Database] = []
  private var nextSpace: UInt16 = 1
  private let freeAtStart: UInt64

  init(_ subject: ContractSubject<Database>, clause: String, check: String) throws {
    self.subject = subject
    self.clause = clause
    self.check = check
    machine = try SimulatedPlatform(subject.geometry, cpus: subject.cpus)
    freeAtStart = machine.platform.frames.freeFrames
    service = try Database.Service.boot(machine.platform, options: subject.options)
  }

  var platform: Platform { machine.platform }
  var frames: FrameAllocator { machine.platform.frames }

  /// The page sizes, smallest first.
  var sizes: [PageSize] { service.pageSizes.all }
  /// The page sizes above the base page.
  var hugeSizes: [PageSize] { sizes.filter { $0 > .base } }

  /// Where checks map pages: 1 TiB is aligned for every page size.
  var home: VirtualAddress { VirtualAddress(1 << 40) }

  func page(_ number: UInt64) -> VirtualAddress { home.advanced(by: number << 12) }

  /// A new address space, destroyed when the check ends.
  func makeDatabase() throws -> Database {
    let context = makeContext()
    do throws(ServiceError) {
      let database = try service.makeDatabase(context)
      databases.append(database)
      return database
    } catch {
      context.destroy()
      fail("a new database", "\(error)")
      throw CheckStopped()
    }
  }

  func makeContext() -> DatabaseContext {
    defer { nextSpace += 1 }
    return DatabaseContext(
      platform: platform, spaceID: AddressSpaceID(nextSpace), pageSizes: service.pageSizes)
  }

  /// Destroys a database before the end of the check.
  func destroy(_ database: Database) {
    databases.removeAll { $0.context.spaceID == database.context.spaceID }
    do throws(ServiceError) { try service.destroy(database) } catch {
      fail("the database is destroyed", "\(error)")
    }
    database.context.destroy()
  }

  /// Makes `cpu` run on `database`.
  func run(_ database: Database, on cpu: Int) {
    do throws(ServiceError) { _ = try service.switchTo(database, on: cpu) } catch {
      fail("CPU \(cpu) runs on the database", "\(error)")
    }
  }

  /// Everybody leaves, every database goes, and every frame must be back.
  func tearDown() {
    frames.stopInjectingFailures()
    for cpu in 0..<platform.cpuCount { run(service.kernelDatabase, on: cpu) }
    while let database = databases.last { destroy(database) }
    service.shutDown()
    let missing = freeAtStart - Swift.min(freeAtStart, frames.freeFrames)
    if missing != 0 {
      record("DB-8", "every frame is given back", "\(missing) frames are missing at the end")
    }
  }
}

// What a check says.
extension ContractBench {
  func record(_ clause: String, _ expected: String, _ got: String) {
    // One broken promise tends to break many comparisons: the first ones tell the story.
    guard failures.count < 5 else { return }
    failures.append(
      ContractFailure(clause: clause, check: check, driver: subject.name, expected: expected, got: got))
  }

  func fail(_ expected: String, _ got: String) { record(clause, expected, got) }

  func expect(
    _ condition: Bool, _ expected: @autoclosure () -> String, _ got: @autoclosure () -> String = "not so"
  ) {
    if !condition { fail(expected(), got()) }
  }

  func equal<Value: Equatable>(_ got: Value, _ expected: Value, _ what: @autoclosure () -> String) {
    if got != expected { fail("\(what()): \(expected)", "\(got)") }
  }

  func same(_ got: Object, _ expected: Object, _ what: @autoclosure () -> String) {
    if let attribute = got.firstDifference(from: expected) {
      fail("\(what()): \(expected.summary)", "\(got.summary) (\(attribute.name) differs)")
    }
  }

  func same(_ got: [Object], _ expected: [Object], _ what: @autoclosure () -> String) {
    if got.count != expected.count {
      return fail(
        "\(what()): \(expected.count) objects \(expected.prefix(4).map(\.summary))",
        "\(got.count) objects \(got.prefix(4).map(\.summary))")
    }
    for (mine, theirs) in zip(got, expected) { same(mine, theirs, what()) }
  }

  /// Nothing usable can follow.
  func stop(_ expected: String, _ got: String) -> CheckStopped {
    fail(expected, got)
    return CheckStopped()
  }
}
