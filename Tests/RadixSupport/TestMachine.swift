// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import MMU
public import Radix
public import SimMemory
internal import Testing

/// A booted service of one shape with one user database, which checks at the end that no frame was lost.
public final class TestMachine<Shape: RadixShape> {
  /// The machine.
  public let owner: SimulatedPlatform
  /// The service.
  public let service: RadixTreeService<Shape>
  /// The user database of address space 1.
  public let user: RadixTree<Shape>
  private let freeAtStart: UInt64

  /// The frames of the machine.
  public var frames: FrameAllocator { owner.platform.frames }
  /// Its memory.
  public var memory: PhysicalMemory { owner.platform.memory }

  /// Boots the service.
  ///
  /// - Parameter isFragmented: no 2 MiB of memory are contiguous while the service and the user database are made.
  public init(_ shape: Shape.Type, cpus: Int = 1, bytes: UInt64 = 64 << 20, isFragmented: Bool = false) throws
  {
    owner = try SimulatedPlatform(MemoryGeometry(bytes: bytes), cpus: cpus)
    freeAtStart = owner.platform.frames.freeFrames
    let held = isFragmented ? fragment(owner.platform.frames) : []
    service = try RadixTreeService<Shape>.boot(owner.platform, options: DriverOptions())
    user = try service.makeDatabase(TestMachine.context(owner.platform, service, 1))
    for frame in held { owner.platform.frames.free(frame) }
  }

  private static func context(
    _ platform: Platform, _ service: RadixTreeService<Shape>, _ id: UInt16
  ) -> DatabaseContext {
    DatabaseContext(platform: platform, spaceID: AddressSpaceID(id), pageSizes: service.pageSizes)
  }

  /// Another user database; the test destroys it.
  public func another(_ id: UInt16 = 2) throws -> RadixTree<Shape> {
    try service.makeDatabase(TestMachine.context(owner.platform, service, id))
  }

  /// Destroys a user database and what belongs to it.
  public func destroy(_ database: RadixTree<Shape>) throws {
    try service.destroy(database)
    database.context.destroy()
  }

  /// What the hardware of CPU 0 walks from while it runs on the user database.
  public func root() throws -> RadixTreeRoot<Shape> {
    let previous = try service.switchTo(user, on: 0)
    defer { _ = try? service.switchTo(previous, on: 0) }
    return service.registers[0]
  }

  /// A walk without walk caches: its steps and its outcome.
  public func walk(_ address: UInt64, _ access: AccessKind = .load) throws -> (WalkResult, [WalkStep]) {
    let walker = RadixTreeWalker<Shape>(memory: memory, configuration: .withoutCaches)
    defer { walker.release() }
    var steps = WalkSteps()
    let result = walker.walk(
      try root(), VirtualAddress(address), access, isUser: true, recorder: &steps)
    return (result, steps.steps)
  }

  /// The levels of the entries that a walk without walk caches reads.
  public func levels(_ address: UInt64) throws -> [UInt8] { try walk(address).1.map(\.index) }

  /// Tears everything down; every frame must be back.
  public func finish() throws {
    try destroy(user)
    service.shutDown()
    #expect(frames.freeFrames == freeAtStart)
  }
}

/// Leaves no two neighbouring frames free.
/// - Returns: the frames that are held for that.
public func fragment(_ frames: FrameAllocator) -> [FrameNumber] {
  var all: [FrameNumber] = []
  while let frame = frames.allocate() { all.append(frame) }
  for frame in all where frame.raw % 2 == 0 { frames.free(frame) }
  return all.filter { $0.raw % 2 == 1 }
}
