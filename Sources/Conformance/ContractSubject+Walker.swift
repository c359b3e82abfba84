// SPDX-License-Identifier: MIT
public import EMTCore
public import MMU
public import Machine
public import Scenarios
public import SimMemory

extension ContractSubject {
  /// A driver and the walker that it is paired with: after changes, hardware must see what the contract says.
  @inlinable
  public init<Walker: PageWalker>(
    _ name: String, _ type: Database.Type, walker: Walker.Type, options: DriverOptions = DriverOptions(),
    geometry: MemoryGeometry = MemoryGeometry(bytes: 1 << 40), cpus: Int = 4
  ) where Walker.Root == Database.Service.Root {
    self.init(name, type, options: options, geometry: geometry, cpus: cpus) { memory, root, address in
      let walker = Walker(
        memory: memory.used(by: .hardware), configuration: Walker.standardConfiguration)
      defer { walker.release() }
      return HardwareView(walker.probe(root, address, .load, isUser: false))
    }
    boot = { (configuration) throws(MachineError) in
      MachineHost(try Machine<Database.Service, Walker>(configuration))
    }
    bootHidden = { (configuration) throws(MachineError) in
      try MachineHost<BasicOnlyService<Database>, Walker>.boot(configuration)
    }
    makeUnit = { memory in
      HardwareUnit(
        Walker(memory: memory.used(by: .hardware), configuration: Walker.standardConfiguration))
    }
  }
}
