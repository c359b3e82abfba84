// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// One address space of a driver on memory of its own: what benchmarks of a driver without a kernel work on.
@usableFromInline struct BenchSpace<Service: TranslationService> {
  @usableFromInline let simulated: SimulatedPlatform
  @usableFromInline let service: Service
  @usableFromInline let database: Service.Database
  /// Frames that were free before the address space was made.
  @usableFromInline let freeFrames: UInt64

  /// Boots `Service` and makes an address space.
  /// - Parameter isUsed: every frame was used before, so that whoever wants zeros has to clear.
  @inlinable
  init(memoryBytes: UInt64 = 8 << 30, options: DriverOptions = DriverOptions(), isUsed: Bool = false)
    throws(CommandFailure)
  {
    do {
      simulated = try SimulatedPlatform(MemoryGeometry(bytes: memoryBytes))
      let platform = simulated.platform
      if isUsed { BenchSpace.use(platform.frames) }
      service = try Service.boot(platform, options: options)
      freeFrames = platform.frames.freeFrames
      database = try service.makeDatabase(
        DatabaseContext(platform: platform, spaceID: AddressSpaceID(1), pageSizes: service.pageSizes))
    } catch { throw .failed("a benchmark's address space could not be made: \(error)") }
  }

  /// Marks all frames but those that do not fill a block of 2 MiB.
  @usableFromInline static func use(_ frames: FrameAllocator) {
    var blocks: [FrameNumber] = []
    while let block = frames.allocate(order: 9) {
      frames.markUsed(block, frames: 512)
      blocks.append(block)
    }
    for block in blocks { frames.free(block, order: 9) }
  }

  /// Takes everything down.
  /// - Throws: when a mapping is in the way or frames were lost: a bug of the driver.
  @inlinable func close() throws(CommandFailure) {
    let context = database.context
    do { try service.destroy(database) } catch {
      throw .failed("a benchmark's address space could not be destroyed: \(error)")
    }
    context.destroy()
    let left = simulated.platform.frames.freeFrames
    guard left == freeFrames else { throw .failed("\(freeFrames - left) frames were not given back") }
    service.shutDown()
  }

  /// Frames handed out for the address space.
  @usableFromInline var frames: UInt64 { freeFrames - simulated.platform.frames.freeFrames }

  /// Maps the base page at `address`, or replaces what is there, as a fault handler does: `find`, then `update`.
  @inlinable func map(_ address: VirtualAddress, _ frame: UInt64) throws(TranslationError) {
    var object = database.find(address)
    if object.size != .base { object = .init(unmappedAt: address, size: .base) }
    object.place(FrameNumber(1 &+ frame & 0xFFFF), [.readable, .writable, .user, .accessed, .dirty])
    database.settle(try database.update(object).takeObligation())
  }

  /// Removes the base page at `address`: `find`, then `remove`.
  @inlinable func unmap(_ address: VirtualAddress) throws(TranslationError) {
    let object = database.find(address)
    database.settle(try database.remove(object).takeObligation())
  }
}

/// Where benchmarks map: the first page of the range, and the n-th of dense or sparse pages.
@usableFromInline enum BenchPlace {
  @usableFromInline static var base: UInt64 { 1 << 40 }
  /// Sparse pages: one in so many.
  @usableFromInline static var sparse: UInt64 { 64 }

  @inlinable static func dense(_ page: UInt64) -> VirtualAddress { VirtualAddress(base &+ page &<< 12) }
}

/// Pseudo-random numbers below a bound, the same in every run.
@usableFromInline struct BenchRandom {
  @usableFromInline var state: UInt64 = 0x9E37_79B9_7F4A_7C15

  @inlinable init() {}

  /// A number below `bound`.
  @inlinable mutating func next(below bound: UInt64) -> UInt64 {
    state ^= state &<< 13
    state ^= state &>> 7
    state ^= state &<< 17
    return state.multipliedFullWidth(by: bound).high
  }

  /// The numbers below `count` in random order.
  @usableFromInline mutating func permutation(_ count: UInt64) -> [UInt64] {
    var numbers = Array(0..<count)
    for index in stride(from: numbers.count - 1, to: 0, by: -1) {
      numbers.swapAt(index, Int(next(below: UInt64(index + 1))))
    }
    return numbers
  }
}
