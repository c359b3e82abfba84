// SPDX-License-Identifier: MIT
public import SimMemory
public import VMM

/// What a case needs of the machine. A machine is booted for it; where the driver or the setting cannot give it, the case
/// is skipped, and says why.
public struct Needs: Sendable {
  /// Physical memory in bytes.
  public var memory: UInt64
  /// Slots of a swap area; 0 for none.
  public var swapPages: UInt64
  /// NUMA nodes.
  public var nodes: Int
  /// CPUs.
  public var cpus: Int
  /// Pages of 2 MiB in the pool.
  public var hugePool: UInt64
  /// A page size that the driver must have.
  public var pageSize: PageSize
  /// The only setting of transparent huge pages that the case makes sense with; nil for any.
  public var hugePages: HugePagePolicy?

  /// 64 MiB, one node, one CPU, nothing else.
  public init(
    memory: UInt64 = 64 << 20, swapPages: UInt64 = 0, nodes: Int = 1, cpus: Int = 1, hugePool: UInt64 = 0,
    pageSize: PageSize = .base, hugePages: HugePagePolicy? = nil
  ) {
    self.memory = memory
    self.swapPages = swapPages
    self.nodes = nodes
    self.cpus = cpus
    self.hugePool = hugePool
    self.pageSize = hugePool > 0 ? max(pageSize, .twoMiB) : pageSize
    self.hugePages = hugePages
  }
}

/// One case: a short program and what is promised to it.
public struct ScenarioCase: Sendable {
  /// The name: that of the row of the inventory, such as `mmap01`, or one of our own.
  public let id: String
  /// Further rows of the inventory that say the same.
  public let rows: [String]
  /// What is promised, in one sentence.
  public let promise: String
  /// What the machine must have.
  public let needs: Needs
  let body: @Sendable (Program) throws -> Void

  /// A case. Its body gets a process with nothing mapped, on a freshly booted machine.
  public init(
    _ id: String, also rows: [String] = [], _ promise: String, needs: Needs = Needs(),
    _ body: @escaping @Sendable (Program) throws -> Void
  ) {
    self.id = id
    self.rows = rows
    self.promise = promise
    self.needs = needs
    self.body = body
  }
}

/// Cases of one theme.
public struct ScenarioGroup: Sendable {
  /// The name, as the inventory has it.
  public let name: String
  /// The cases.
  public let cases: [ScenarioCase]
  /// Whether every row of the inventory's group has a case or is listed in `LeftOut`.
  public let isComplete: Bool

  /// A group.
  public init(_ name: String, isComplete: Bool = false, _ cases: [ScenarioCase]...) {
    self.name = name
    self.isComplete = isComplete
    self.cases = cases.flatMap { $0 }
  }
}
