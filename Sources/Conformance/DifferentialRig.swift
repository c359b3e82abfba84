// SPDX-License-Identifier: MIT
public import EMTCore
public import Reference
public import SimMemory

/// A machine with four shadowed address spaces and the kernel's, on which steps run.
@usableFromInline final class DifferentialRig<Database: TranslationDatabase> {
  @usableFromInline typealias Shadow = Shadowed<Database>

  @usableFromInline let subject: ContractSubject<Database>
  @usableFromInline let machine: SimulatedPlatform
  @usableFromInline let service: ShadowedService<Database>
  /// The address spaces; the last one is the kernel's.
  @usableFromInline var spaces: [Shadow] = []
  /// Which space every CPU runs on.
  @usableFromInline var running: [Int]
  /// The hardware of every CPU, and what its TLB holds; empty without a walker.
  @usableFromInline var units: [RememberingUnit<Database>] = []
  @usableFromInline var nextSpace: UInt16 = 1
  @usableFromInline let freeAtStart: UInt64
  /// Frames that nobody but the kernel's database used when there was no other, and its footprint then.
  @usableFromInline var freeAfterBoot: UInt64 = 0
  @usableFromInline var kernelAfterBoot: UInt64 = 0
  @usableFromInline var isClosed = false
  @usableFromInline let hasHardware: Bool
  /// Whether the driver finds voids larger than a few pages, so that looking at 1 GiB takes no time.
  @usableFromInline let hasLargeVoids: Bool
  /// What the last step changed.
  @usableFromInline var touched: [(space: Int, range: VirtualRange)] = []

  @inlinable init(_ subject: ContractSubject<Database>) throws {
    self.subject = subject
    hasHardware = subject.hardware != nil
    machine = try SimulatedPlatform(subject.geometry, cpus: subject.cpus)
    freeAtStart = machine.platform.frames.freeFrames
    service = try ShadowedService<Database>.boot(
      machine.platform, options: subject.options, log: DivergenceLog(capacity: 8), hardwareSetsBits: false)
    running = Array(repeating: 4, count: subject.cpus)
    hasLargeVoids = try DifferentialRig.findsLargeVoids(
      service, DifferentialRig.context(0xFFFF, machine, service))
    freeAfterBoot = frames.freeFrames
    kernelAfterBoot = service.kernelDatabase.footprint.total
    for _ in 0..<4 { spaces.append(try service.makeDatabase(makeContext())) }
    spaces.append(service.kernelDatabase)
    for cpu in 0..<subject.cpus {
      if let makeUnit = subject.makeUnit {
        units.append(RememberingUnit(makeUnit(machine.platform.memory)))
      }
      try run(on: cpu, cpu % 4)
    }
  }

  @inlinable var frames: FrameAllocator { machine.platform.frames }
  /// Bits of a virtual address; all bits above the last one are equal in a good address.
  @inlinable var addressBits: Int { service.addressBits }
  /// Steps drawn from `seed` for this driver.
  @inlinable func steps(from seed: UInt64) -> StepGenerator {
    StepGenerator(
      seed: seed, shifts: service.pageSizes.all.map(\.shift), addressBits: addressBits,
      spares: !hasLargeVoids)
  }

  @inlinable func makeContext() -> DatabaseContext {
    defer { nextSpace += 1 }
    return DifferentialRig.context(nextSpace, machine, service)
  }

  @inlinable static func context(
    _ space: UInt16, _ machine: SimulatedPlatform, _ service: ShadowedService<Database>
  ) -> DatabaseContext {
    DatabaseContext(platform: machine.platform, spaceID: AddressSpaceID(space), pageSizes: service.pageSizes)
  }

  /// Looks next to a page for what the driver knows of the void there.
  @inlinable static func findsLargeVoids(
    _ service: ShadowedService<Database>, _ context: DatabaseContext
  ) throws -> Bool {
    let database = try service.makeDatabase(context)
    var page = Database.Object(unmappedAt: VirtualAddress(1 << 40), size: .base)
    page.place(FrameNumber(1), [.readable])
    database.settle(try database.update(page).takeObligation())
    let isLarge = database.find(VirtualAddress(1 << 40 + 1 << 20)).size.bytes > 1 << 17
    try service.destroy(database)
    context.destroy()
    return isLarge
  }

  @inlinable func report(_ expected: String, _ got: String) {
    service.log.report(expected: expected, got: got)
  }

  /// Makes `cpu` run on `space`.
  @inlinable func run(on cpu: Int, _ space: Int) throws {
    _ = try service.switchTo(spaces[space], on: cpu)
    running[cpu] = space
    _ = try service.current(on: cpu)
  }

  /// Takes everything down.
  /// - Returns: what was not given back.
  @inlinable @discardableResult func close() -> String? {
    if isClosed { return nil }
    isClosed = true
    do {
      for cpu in 0..<subject.cpus { _ = try service.switchTo(service.kernelDatabase, on: cpu) }
      for space in spaces.dropLast() {
        try service.destroy(space)
        space.context.destroy()
      }
    } catch { return "taking the machine down: \(error)" }
    for unit in units { unit.unit.release() }
    service.shutDown()
    let free = frames.freeFrames
    return free == freeAtStart ? nil : "\(freeAtStart - free) frames were not given back"
  }

  /// What differs now, as far as anybody noticed; a thorough look compares everything, the hardware's view included.
  @inlinable func difference(isThorough: Bool) -> String? {
    deliver()
    for (space, range) in touched { compareHardware(space, range) }
    checkMemory(ofAll: isThorough)
    if isThorough {
      for (index, space) in spaces.enumerated() {
        if let difference = space.disagreement() { return difference }
        compareHardware(index, space.half)
      }
    }
    return service.log.hasDivergence ? service.log.divergence?.description : nil
  }

  /// Every frame in use belongs to a database, which counts it.
  @inlinable func checkMemory(ofAll: Bool) {
    guard ofAll else { return }
    let used = (freeAfterBoot &- frames.freeFrames) &<< 12
    let counted = spaces.reduce(0) { $0 &+ $1.footprint.total } &- kernelAfterBoot
    if used != counted { report("footprints of \(used) bytes, which are in use", "\(counted)") }
  }
}
