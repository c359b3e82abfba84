// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// The kernel's own loads and stores of user memory, with real bytes.
extension Kernel {
  /// Where the byte at `address` is in memory, once a program could access it there. Faults as the program would.
  /// - Throws: `.efault` where the program may not, `.enomem` when memory ran out.
  @inlinable
  func reach(_ space: Space<Database>, _ address: VirtualAddress, _ kind: AccessKind) throws(Errno)
    -> PhysicalAddress
  {
    for _ in 0..<4 {
      switch resolve(space, address, kind) {
      case .resolved: break
      case .refused, .waits: throw .efault
      case .outOfMemory: throw .enomem
      }
      if let place = place(of: address, in: space, kind) { return place }
    }
    throw .efault
  }

  /// As `reach`, by a thread of the process itself, whose protection keys count.
  @inlinable
  func reachOwn(_ process: Process<Database>, _ address: VirtualAddress, _ kind: AccessKind) throws(Errno)
    -> PhysicalAddress
  {
    if keyRefusal(process, address, kind) != nil { throw .efault }
    return try reach(process.space, address, kind)
  }

  /// Where the byte at `address` is, if an access of `kind` would not fault.
  @inlinable
  func place(of address: VirtualAddress, in space: Space<Database>, _ kind: AccessKind) -> PhysicalAddress? {
    let object = space.database.find(address)
    guard object.isPresent, kind == .store ? object.isWritable : object.isReadable else { return nil }
    return object.physicalAddress.advanced(by: address.offset(in: object.size))
  }

  /// Loads `count` bytes of user memory, at most eight, as a little-endian number.
  @inlinable
  func loadUser(_ process: Process<Database>, _ address: VirtualAddress, bytes count: UInt64 = 8)
    throws(Errno) -> UInt64
  {
    var value: UInt64 = 0
    for index in 0..<count {
      let place = try reachOwn(process, address.advanced(by: index), .load)
      value |= UInt64(platform.memory.byte(at: place)) &<< (index &* 8)
    }
    return value
  }

  /// Stores the lowest `count` bytes of `value` into user memory.
  @inlinable
  func storeUser(
    _ value: UInt64, _ process: Process<Database>, _ address: VirtualAddress, bytes count: UInt64 = 8
  ) throws(Errno) {
    for index in 0..<count {
      let place = try reachOwn(process, address.advanced(by: index), .store)
      platform.memory.setByte(UInt8(truncatingIfNeeded: value &>> (index &* 8)), at: place)
    }
  }

  /// The vector of `count` pieces that a call's argument leads to.
  /// - Parameter isLocal: the pieces are the caller's, so that they have to be user addresses, and are cut where a call
  ///   has moved enough.
  @inlinable
  func ioVector(
    _ process: Process<Database>, at address: VirtualAddress, count: UInt64, isLocal: Bool
  ) throws(Errno) -> IOVector {
    guard count <= IOVector.maximumCount else { throw .einval }
    var vector = IOVector()
    var room = isLocal ? IOVector.maximumBytes : UInt64.max
    for index in 0..<count {
      let entry = address.advanced(by: index &* 16)
      let start = try loadUser(process, entry)
      let bytes = try loadUser(process, entry.advanced(by: 8))
      guard Int64(bitPattern: bytes) >= 0 else { throw .einval }
      if isLocal, start > userEnd.raw || bytes > userEnd.raw &- start { throw .efault }
      // Remote pieces may run out of the address space; what lies there is refused when its turn comes.
      let fitting = Swift.min(bytes, room, UInt64.max &- start)
      vector.append(VirtualAddress(start), bytes: fitting)
      room &-= fitting
    }
    return vector
  }
}
