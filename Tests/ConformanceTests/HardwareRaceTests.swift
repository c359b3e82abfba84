// SPDX-License-Identifier: MIT
import EMTCore
import EntryFormats
import SimMemory
import Testing
import X86Object

/// Hardware stores through page 1 of every space just before an update lands: between a default's find and its update.
private enum StoresMeanwhile: Flaw {
  static func update(
    _ base: MinimalDatabase, _ object: X86Object
  ) throws(TranslationError) -> Change<X86Object> {
    if base.find(VirtualAddress(0x1000)).isPresent {
      try base.setAccessed(at: VirtualAddress(0x1000), alsoDirty: true)
    }
    return try base.update(object)
  }
}

@Suite("Defaults keep the bits that hardware sets meanwhile") struct HardwareRaceTests {
  private typealias Database = Broken<StoresMeanwhile>
  private static let range = VirtualRange(VirtualAddress(0x1000), bytes: 0x1000)

  /// Runs `body` on two databases, the first with a clean, writable page 1.
  private func run(_ body: (Database, Database) throws -> Void) throws {
    let machine = try SimulatedPlatform(MemoryGeometry(bytes: 64 << 20))
    let service = try BrokenService<StoresMeanwhile>.boot(machine.platform, options: DriverOptions())
    let databases = try [1, 2].map { id in
      try service.makeDatabase(
        DatabaseContext(platform: machine.platform, spaceID: AddressSpaceID(id), pageSizes: service.pageSizes)
      )
    }
    var page = X86Object(unmappedAt: HardwareRaceTests.range.start, size: .base)
    page.isPresent = true
    page.isWritable = true
    page.physicalAddress = PhysicalAddress(0x5000)
    databases[0].settle(try databases[0].base.update(page).takeObligation())
    try body(databases[0], databases[1])
    for database in databases {
      try service.destroy(database)
      database.context.destroy()
    }
    service.shutDown()
  }

  @Test func settingProtection() throws {
    try run { database, _ in
      let readOnly = Protection(readable: true, writable: false, executable: false)
      database.settle(try database.setProtection(in: HardwareRaceTests.range, to: readOnly))
      let found = database.find(HardwareRaceTests.range.start)
      #expect(found.isDirty && found.isAccessed && !found.isWritable)
    }
  }

  @Test func copying() throws {
    try run { database, target in
      let owed = try database.copy(
        HardwareRaceTests.range, into: target, decide: { _ in .shareProtected }, copied: { _ in })
      database.settle(owed)
      let found = database.find(HardwareRaceTests.range.start)
      #expect(found.isDirty && !found.isWritable)
    }
  }

  @Test func moving() throws {
    try run { database, _ in
      database.settle(try database.move(HardwareRaceTests.range, to: VirtualAddress(0x9000)))
      #expect(database.find(VirtualAddress(0x9000)).isDirty)
      #expect(!database.find(VirtualAddress(0x1000)).isMapped)
    }
  }
}
