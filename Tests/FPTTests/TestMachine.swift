// SPDX-License-Identifier: MIT
import EMTCore
import EntryFormats
import MMU
import Radix
import SimMemory
import Testing
import X86Object

/// A booted service of one shape with one user database, which checks at the end that no frame was lost.
final class TestMachine<Shape: RadixShape> {
  let owner: SimulatedPlatform
  let service: RadixTreeService<Shape>
  let user: RadixTree<Shape>
  private let freeAtStart: UInt64

  var frames: FrameAllocator { owner.platform.frames }
  var memory: PhysicalMemory { owner.platform.memory }

  /// - Parameter isFragmented: no 2 MiB of memory are contiguous while the service and the user database are made.
  init(_ shape: Shape.Type, cpus: Int = 1, bytes: UInt64 = 64 << 20, isFragmented: Bool = false) throws {
    owner = try SimulatedPlatform(MemoryGeometry(bytes: bytes), cpus: cpus)
    freeAtStart = owner.platform.frames.freeFrames
    let held = isFragmented ? fragment(owner.platform.frames) : []
    service = try RadixTreeService<Shape>.boot(owner.platform, options: DriverOptions())
    user = try service.makeDatabase(
      DatabaseContext(platform: owner.platform, spaceID: AddressSpaceID(1), pageSizes: service.pageSizes))
    for frame in held { owner.platform.frames.free(frame) }
  }

  /// What the hardware of CPU 0 walks from while it runs on the user database.
  func root() throws -> RadixTreeRoot<Shape> {
    let previous = try service.switchTo(user, on: 0)
    defer { _ = try? service.switchTo(previous, on: 0) }
    return service.registers[0]
  }

  /// A walk without walk caches: its steps and its outcome.
  func walk(_ address: UInt64, _ access: AccessKind = .load) throws -> (WalkResult, [WalkStep]) {
    let walker = RadixTreeWalker<Shape>(memory: memory, configuration: .withoutCaches)
    defer { walker.release() }
    var steps = WalkSteps()
    let result = walker.walk(
      try root(), VirtualAddress(address), access, isUser: true, recorder: &steps)
    return (result, steps.steps)
  }

  /// The levels of the entries that a walk without walk caches reads.
  func levels(_ address: UInt64) throws -> [UInt8] { try walk(address).1.map(\.index) }

  /// Tears everything down; every frame must be back.
  func finish() throws {
    try service.destroy(user)
    user.context.destroy()
    service.shutDown()
    #expect(frames.freeFrames == freeAtStart)
  }
}

/// Leaves no two neighbouring frames free.
/// - Returns: the frames that are held for that.
func fragment(_ frames: FrameAllocator) -> [FrameNumber] {
  var all: [FrameNumber] = []
  while let frame = frames.allocate() { all.append(frame) }
  for frame in all where frame.raw % 2 == 0 { frames.free(frame) }
  return all.filter { $0.raw % 2 == 1 }
}

/// A present, writable user page.
func page(_ address: UInt64, _ size: PageSize = .base, frame: UInt64 = 1 << 13) -> X86Object {
  var object = X86Object(unmappedAt: VirtualAddress(address), size: size)
  object.isPresent = true
  object.isWritable = true
  object.isUser = true
  object.frame = FrameNumber(frame)
  return object
}

extension TranslationDatabase {
  /// Updates and pays the flush.
  @discardableResult func put(_ object: Object) throws(TranslationError) -> Object {
    let change = try update(object)
    let old = change.old
    settle(change.takeObligation())
    return old
  }

  /// Removes and pays the flush.
  @discardableResult func drop(_ object: Object) throws(TranslationError) -> Object {
    let change = try remove(object)
    let old = change.old
    settle(change.takeObligation())
    return old
  }
}

/// A range from addresses.
func range(_ start: UInt64, _ end: UInt64) -> VirtualRange {
  VirtualRange(VirtualAddress(start), VirtualAddress(end))
}
