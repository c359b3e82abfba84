// SPDX-License-Identifier: MIT
public import EMTCore
public import Scenarios
public import SimMemory

/// What a hardware walker sees for one address.
public struct HardwareView: Sendable, Equatable {
  /// First byte of the physical page.
  public var physicalAddress: PhysicalAddress
  /// The page's size.
  public var size: PageSize
  /// Whether stores are allowed.
  public var isWritable: Bool

  /// Describes a translation.
  @inlinable public init(physicalAddress: PhysicalAddress, size: PageSize, isWritable: Bool) {
    self.physicalAddress = physicalAddress
    self.size = size
    self.isWritable = isWritable
  }
}

/// A driver to be checked: its type, its options, and the machine to boot it on.
public struct ContractSubject<Database: TranslationDatabase>: Sendable {
  /// Reads the driver's tables as hardware would; nil where nothing usable is mapped.
  public typealias Hardware =
    @Sendable (PhysicalMemory, Database.Service.Root, VirtualAddress) -> HardwareView?

  /// The name in reports.
  public let name: String
  /// Options for booting.
  public var options: DriverOptions
  /// Simulated memory. It costs nothing until it is touched, and checks map frames all over it.
  public var geometry: MemoryGeometry
  /// CPUs, at least 3.
  public var cpus: Int
  /// The walker that the driver is paired with; without one, only the software side is checked.
  public var hardware: Hardware?
  /// Makes the hardware of one CPU, for differential runs; without it they look at tables, but access nothing.
  public var makeUnit: (@Sendable (PhysicalMemory) -> HardwareUnit<Database.Service.Root>)?
  /// Boots a whole machine for scenarios; without a walker there are none.
  public var boot: ScenarioBoot?
  /// The same with customizations hidden.
  public var bootHidden: ScenarioBoot?

  /// A driver with its type, on a machine of 1 TiB and 4 CPUs.
  @inlinable public init(
    _ name: String, _ type: Database.Type, options: DriverOptions = DriverOptions(),
    geometry: MemoryGeometry = MemoryGeometry(bytes: 1 << 40), cpus: Int = 4, hardware: Hardware? = nil
  ) {
    self.name = name
    self.options = options
    self.geometry = geometry
    self.cpus = cpus
    self.hardware = hardware
  }

  /// The same driver with its customizations hidden.
  @inlinable public var basicOnly: ContractSubject<BasicOnly<Database>> {
    var subject = ContractSubject<BasicOnly<Database>>(
      "\(name), basic functions only", BasicOnly<Database>.self, options: options, geometry: geometry,
      cpus: cpus, hardware: hardware)
    subject.makeUnit = makeUnit
    (subject.boot, subject.bootHidden) = (bootHidden, bootHidden)
    return subject
  }
}
