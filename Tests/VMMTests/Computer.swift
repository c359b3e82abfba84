// SPDX-License-Identifier: MIT
import EMTCore
import Radix
import SimMemory
import Testing
import VMM

/// A kernel with one process, as tests use it.
final class Computer<Service: TranslationService> {
  typealias Proc = Process<Service.Database>
  let owner: SimulatedPlatform
  let kernel: Kernel<Service>
  let process: Proc
  private let freeAtStart: UInt64

  init(
    bytes: UInt64 = 64 << 20, hugePages: HugePageSettings = HugePageSettings(), nodes: Int = 1, cpus: Int = 1
  ) throws {
    owner = try SimulatedPlatform(MemoryGeometry(bytes: bytes, nodes: nodes), cpus: cpus)
    freeAtStart = owner.platform.frames.freeFrames
    kernel = try Kernel<Service>(owner.platform, hugePages: hugePages)
    process = try kernel.start(1)
  }

  /// Ends everything; every frame must be back.
  func finish() {
    #expect(kernel.reverseMapFault() == nil)
    kernel.shutDown()
    #expect(kernel.swap.used == 0)
    #expect(owner.platform.frames.freeFrames == freeAtStart)
  }

  /// A call's result.
  @discardableResult
  func call(
    _ number: SystemCallNumber, _ arguments: [UInt64], in other: Proc? = nil,
    _ circumstances: Circumstances = Circumstances()
  ) throws(Errno) -> UInt64 {
    let process = other ?? process
    let result = try kernel.systemCall(
      process,
      SystemCallRequest(
        number, arguments, strings: number == .memfdCreate ? [0: "memory"] : [:],
        circumstances: circumstances))
    if let broken = process.space.layout.areas.brokenInvariant() { Issue.record("\(broken)") }
    return result
  }

  /// What a call is refused with, nil when it succeeds.
  func refusal(
    _ number: SystemCallNumber, _ arguments: [UInt64], in other: Proc? = nil,
    _ circumstances: Circumstances = Circumstances()
  ) -> Errno? {
    do { try call(number, arguments, in: other, circumstances) } catch { return error }
    return nil
  }

  /// Private anonymous memory, readable and writable.
  func map(
    _ pages: UInt64, at address: UInt64 = 0, rights: UInt64 = 3, flags: UInt64 = 0x22, in other: Proc? = nil
  ) throws(Errno) -> UInt64 {
    try call(.mmap, [address, pages * page, rights, flags, .max, 0], in: other)
  }

  /// An open memfd that may be sealed.
  func memfd(size: UInt64) throws(Errno) -> UInt64 {
    let descriptor = try call(.memfdCreate, [0, 2])
    try call(.ftruncate, [descriptor, size])
    return descriptor
  }

  /// The byte that a load finds, or why there is none.
  func load(_ address: UInt64, in other: Proc? = nil) -> Outcome {
    access(address, .load, other) { self.owner.memory.memory.byte(at: $0) }
  }

  /// Stores a byte.
  @discardableResult func store(_ address: UInt64, _ value: UInt8, in other: Proc? = nil) -> Outcome {
    access(address, .store, other) {
      self.owner.memory.memory.setByte(value, at: $0)
      return value
    }
  }

  typealias Outcome = AccessOutcome

  private func access(
    _ address: UInt64, _ kind: AccessKind, _ other: Proc?, _ body: (PhysicalAddress) -> UInt8
  ) -> Outcome {
    let space = (other ?? process).space
    let address = VirtualAddress(address)
    if let refusal = kernel.keyRefusal(other ?? process, address, kind) { return .refused(refusal) }
    for _ in 0..<4 {
      let object = space.database.find(address)
      if object.isPresent, kind == .store ? object.isWritable : object.isReadable {
        // What hardware does.
        do { try space.database.setAccessed(at: address, alsoDirty: kind == .store) } catch {
          Issue.record("\(error)")
        }
        return .byte(body(object.physicalAddress.advanced(by: address.offset(in: object.size))))
      }
      switch kernel.pageFault(space, address, kind) {
      case .resolved: continue
      case .refused(let refusal): return .refused(refusal)
      case .outOfMemory: return .outOfMemory
      case .waits(let reason): return .waits(reason)
      }
    }
    Issue.record("the access at \(address) faults again and again")
    return .outOfMemory
  }
}

/// How an access of a test's program ended.
enum AccessOutcome: Equatable {
  case byte(UInt8)
  case refused(FaultRefusal)
  case outOfMemory
  case waits(UserfaultReason)
}

let page: UInt64 = 4096

typealias RadixComputer = Computer<RadixService>
