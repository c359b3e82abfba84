// SPDX-License-Identifier: MIT
internal import ClusterTable
public import EMTCore
internal import EntryFormats
internal import MMU
internal import SimMemory
internal import Testing
internal import X86Object

// What every cluster table does together with its service and the hardware.
extension ClusterRig where Service.Root: Equatable {
  /// Registers, CPUs in use, CPUs that do not exist.
  public static func switchingChangesWhatTheHardwareWalks() throws {
    let rig = try ClusterRig()
    #expect(try rig.service.current(on: 0).block == rig.service.kernelDatabase.block)
    _ = try rig.service.switchTo(rig.database, on: 0)
    #expect(rig.service.registers[0] == rig.root)
    #expect(throws: ServiceError.inUse(cpus: 1)) { try rig.service.destroy(rig.database) }
    let previous = try rig.service.switchTo(rig.service.kernelDatabase, on: 0)
    #expect(previous.block == rig.database.block)
    #expect(throws: ServiceError.noSuchCPU(9)) { try rig.service.current(on: 9) }
    try rig.end()
  }

  /// A refused access leaves no bits.
  public static func theWalkerSetsAccessedAndDirtyOnlyWhenAllowed() throws {
    let rig = try ClusterRig()
    var object = ClusterRig.page(3, 9)
    object.isWritable = false
    object.isExecutable = false
    try rig.insert(object)
    #expect(rig.walker.walk(rig.root, object.start, .store, isUser: true).fault == .notWritable)
    #expect(rig.walker.walk(rig.root, object.start, .fetch, isUser: true).fault == .notExecutable)
    #expect(!rig.database.find(object.start).isAccessed)
    #expect(rig.walker.walk(rig.root, object.start, .load, isUser: true).updates == 1)
    #expect(rig.database.find(object.start).isAccessed && !rig.database.find(object.start).isDirty)
    #expect(rig.walker.walk(rig.root, object.start, .load, isUser: true).updates == 0)
    try rig.end()
  }

  /// Footprint and meter agree with the allocator.
  public static func everyFrameComesBackInTheEnd() throws {
    let machine = try SimulatedPlatform(MemoryGeometry(bytes: 1 << 30))
    let before = machine.platform.frames.freeFrames
    let service = try Service.boot(machine.platform, options: DriverOptions())
    let database = try service.makeDatabase(context(machine.platform, service))
    for page in 0..<UInt64(10000) {
      database.settle(try database.update(ClusterRig.page(page * 5, page)).takeObligation())
    }
    let held = before - machine.platform.frames.freeFrames
    #expect(database.footprint.total + service.kernelDatabase.footprint.total == held * 4096)
    let work = machine.work
    #expect(work[.tableFrame] - work[.tableFrameFreed] == held)
    try service.destroy(database)
    database.context.destroy()
    service.shutDown()
    #expect(machine.platform.frames.freeFrames == before)
    #expect(machine.work[.tableFrame] == machine.work[.tableFrameFreed])
  }

  /// No driver has ways as an option.
  public static func optionsAreRefused() throws {
    let machine = try SimulatedPlatform(MemoryGeometry(bytes: 1 << 22))
    #expect(throws: ServiceError.self) {
      try Service.boot(machine.platform, options: DriverOptions(["ways": "3"]))
    }
  }
}
