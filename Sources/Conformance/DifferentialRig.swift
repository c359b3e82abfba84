// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference
internal import SimMemory

/// A machine with two shadowed address spaces, on which steps run.
final class DifferentialRig<Database: TranslationDatabase> {
  typealias Shadow = Shadowed<Database>

  let subject: ContractSubject<Database>
  let machine: SimulatedPlatform
  let service: ShadowedService<Database>
  let first: Shadow
  let second: Shadow
  private let freeAtStart: UInt64
  private var isClosed = false

  init(_ subject: ContractSubject<Database>) throws {
    self.subject = subject
    machine = try SimulatedPlatform(subject.geometry, cpus: subject.cpus)
    freeAtStart = machine.platform.frames.freeFrames
    service = try ShadowedService<Database>.boot(
      machine.platform, options: subject.options, log: DivergenceLog(capacity: 8), hardwareSetsBits: false)
    let (platform, sizes) = (machine.platform, service.pageSizes)
    let contexts = [1, 2].map {
      DatabaseContext(platform: platform, spaceID: AddressSpaceID($0), pageSizes: sizes)
    }
    first = try service.makeDatabase(contexts[0])
    second = try service.makeDatabase(contexts[1])
    _ = try service.switchTo(first, on: 0)
    _ = try service.switchTo(second, on: 1)
  }

  /// Takes everything down.
  /// - Returns: what was not given back.
  @discardableResult func close() -> String? {
    if isClosed { return nil }
    isClosed = true
    do {
      for cpu in 0..<2 { _ = try service.switchTo(service.kernelDatabase, on: cpu) }
      for database in [first, second] {
        try service.destroy(database)
        database.context.destroy()
      }
    } catch { return "taking the machine down: \(error)" }
    service.shutDown()
    let free = machine.platform.frames.freeFrames
    return free == freeAtStart ? nil : "\(freeAtStart - free) frames were not given back"
  }

  /// What differs now, as far as anybody noticed; a thorough look compares everything, the hardware's view included.
  func difference(isThorough: Bool) -> String? {
    if isThorough {
      for (cpu, database) in [first, second].enumerated() {
        if let difference = database.disagreement() { return difference }
        if let difference = hardwareDifference(database, cpu) { return difference }
      }
    }
    for cpu in 0..<subject.cpus { machine.platform.cpu(cpu).mailbox.drain { _ in } }
    return service.log.divergence?.description
  }

  private func hardwareDifference(_ database: Shadow, _ cpu: Int) -> String? {
    guard let hardware = subject.hardware else { return nil }
    let root = service.registers[cpu]
    for object in database.mappedObjects {
      for address in [object.start, VirtualAddress(object.start.raw + object.size.mask)] {
        let view = hardware(machine.platform.memory, root, address)
        let isUsable = object.isPresent && object.isReadable && !object.hasNumaHint
        let expected = HardwareView(
          physicalAddress: object.physicalAddress, size: object.size, isWritable: object.isWritable)
        if view != (isUsable ? expected : nil) {
          return
            "hardware at \(address) should see \(object.summary), sees \(view.map { "\($0)" } ?? "nothing")"
        }
      }
      if !database.expected(at: object.end).isMapped,
        hardware(machine.platform.memory, root, object.end) != nil
      {
        return "hardware at \(object.end) should see nothing"
      }
    }
    return nil
  }
}
