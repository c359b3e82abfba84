// SPDX-License-Identifier: MIT
import EMTCore
import Reference
import SimMemory
import Testing

@Suite("The naive model") struct ModelTests {
  private func page(_ raw: UInt64, _ size: PageSize = .base) -> ModelObject {
    var object = ModelObject(unmappedAt: VirtualAddress(raw), size: size)
    object.isPresent = true
    object.physicalAddress = PhysicalAddress(size.bytes)
    return object
  }

  private func withModel(_ body: (ModelDatabase<ModelObject>) throws -> Void) throws {
    let machine = try SimulatedPlatform(MemoryGeometry(bytes: 16 << 20))
    let service = try ModelService<ModelObject>.boot(machine.platform, options: DriverOptions())
    let context = DatabaseContext(
      platform: machine.platform, spaceID: AddressSpaceID(1), pageSizes: service.pageSizes)
    let database = try service.makeDatabase(context)
    try body(database)
    try service.destroy(database)
    context.destroy()
    service.shutDown()
  }

  @Test func voidsAreAsLargeAsTheyCanBe() throws {
    try withModel { database in
      #expect(database.find(VirtualAddress(0)).size.shift == 47)
      database.settle(try database.update(page(0x4000)).takeObligation())
      #expect(database.find(VirtualAddress(0x3000)).span == VirtualRange(VirtualAddress(0), bytes: 0x4000))
      #expect(
        database.find(VirtualAddress(0x5000)).span == VirtualRange(VirtualAddress(0x5000), bytes: 0x1000))
      #expect(
        database.find(VirtualAddress(0x9000)).span == VirtualRange(VirtualAddress(0x8000), bytes: 0x8000))
    }
  }

  @Test func everyObjectionIsNamed() throws {
    try withModel { database in
      database.settle(try database.update(page(2 << 20, .twoMiB)).takeObligation())
      let inside = page((2 << 20) + 0x3000)
      let conflict = TranslationError.sizeConflict(existing: VirtualAddress(2 << 20), size: .twoMiB)
      #expect(database.objections(toUpdating: inside) == [conflict])
      #expect(database.objections(toRemoving: inside) == [conflict])
      #expect(database.objections(toRemoving: page(0, .oneGiB)) == [.notMapped, conflict])
    }
  }

  @Test func theSameSeedGivesTheSameNumbers() {
    // First outputs of the published algorithm for seed 0.
    var random = SplitMix64(seed: 0)
    #expect(random.next() == 0xE220_A839_7B1D_CDAF)
    #expect(random.next() == 0x6E78_9E6A_A1B9_65F4)
  }

  @Test func differencesNameTheAttribute() {
    let object = page(0x1000)
    var other = object
    other.isDirty = true
    #expect(object.firstDifference(from: other) == .dirty)
    #expect(other.firstDifference(from: object, hardwareMayAdd: true) == nil)
    #expect(object.firstDifference(from: other, hardwareMayAdd: true) == .dirty)
  }
}
