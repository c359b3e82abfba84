// SPDX-License-Identifier: MIT
import EMTCore
import Radix
import SimMemory
import Testing
import X86Object

/// A booted service with one user database, which checks at the end that no frame was lost.
final class TestMachine {
  let owner: SimulatedPlatform
  let service: RadixService
  let user: RadixDatabase
  private let freeAtStart: UInt64

  var frames: FrameAllocator { owner.platform.frames }

  init(cpus: Int = 1) throws {
    owner = try SimulatedPlatform(MemoryGeometry(bytes: 64 << 20), cpus: cpus)
    freeAtStart = owner.platform.frames.freeFrames
    service = try RadixService.boot(owner.platform, options: DriverOptions())
    user = try service.makeDatabase(TestMachine.context(owner.platform, service, 1))
  }

  static func context(_ platform: Platform, _ service: RadixService, _ id: UInt16) -> DatabaseContext {
    DatabaseContext(platform: platform, spaceID: AddressSpaceID(id), pageSizes: service.pageSizes)
  }

  /// Another user database; the test destroys it.
  func another(_ id: UInt16 = 2) throws -> RadixDatabase {
    try service.makeDatabase(TestMachine.context(owner.platform, service, id))
  }

  func destroy(_ database: RadixDatabase) throws {
    try service.destroy(database)
    database.context.destroy()
  }

  /// Tears everything down; every frame must be back.
  func finish() throws {
    try destroy(user)
    service.shutDown()
    #expect(frames.freeFrames == freeAtStart)
  }
}

/// A present, writable user page whose frame tells where it is.
func page(_ address: UInt64, _ size: PageSize = .base, frame: UInt64 = 1 << 18) -> X86Object {
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
