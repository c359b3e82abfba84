// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

// Protection keys. A key is a property of an area here, and whoever performs accesses asks `keyRefusal` first, so that
// they work alike on drivers whose entries have no room for one.
extension Kernel {
  /// `pkey_alloc(flags, rights)`: a free key, whose rights the calling thread gets.
  @usableFromInline
  func pkeyAlloc(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    guard request[0] == 0, request[1] & ~3 == 0 else { throw .einval }
    try commit(request)
    guard hasProtectionKeys, let key = process.space.layout.protectionKeys.allocate() else { throw .enospc }
    process.keyRights[key] = UInt32(truncatingIfNeeded: request[1])
    return UInt64(key)
  }

  /// `pkey_free(key)`. Memory that has the key keeps it.
  @usableFromInline
  func pkeyFree(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    guard process.space.layout.protectionKeys.contains(request[0] & 0xFFFF_FFFF) else { throw .einval }
    try commit(request)
    process.space.layout.protectionKeys.free(UInt8(truncatingIfNeeded: request[0]))
    return 0
  }

  /// Why a protection key forbids a thread of `process` an access; nil when none does.
  @inlinable
  public func keyRefusal(_ process: Process<Database>, _ address: VirtualAddress, _ kind: AccessKind)
    -> FaultRefusal?
  {
    guard process.space.layout.protectionKeys.areUsed,
      let index = areaIndex(process.space, address),
      !process.keyRights.allow(kind, key: process.space.layout.areas.areas[index].key)
    else { return nil }
    return .keyForbids
  }

  /// The kernel's own accesses to memory of its caller respect the caller's keys.
  @usableFromInline
  func checkKeys(_ process: Process<Database>, _ range: VirtualRange, _ kind: AccessKind) throws(Errno) {
    guard process.space.layout.protectionKeys.areUsed else { return }
    for area in process.space.layout.areas.overlapping(range)
    where !process.keyRights.allow(kind, key: area.key) {
      throw .efault
    }
  }

  /// The key that makes memory execute-only for the calling thread; 0 when there is none.
  func executeOnlyKey(_ process: Process<Database>) -> UInt8 {
    guard hasProtectionKeys, let key = process.space.layout.protectionKeys.executeOnlyKey() else { return 0 }
    process.keyRights[key] = 1
    process.space.layout.protectionKeys.areUsed = true
    return key
  }

  /// The key that an area gets with new rights: the one that is asked for, or none but for execute-only memory.
  func newKey(
    of area: VMA, _ rights: Rights, _ process: Process<Database>, asked: UInt8?
  ) -> UInt8 {
    if let asked { return asked }
    if rights == .execute {
      let key = executeOnlyKey(process)
      if key != 0 { return key }
    }
    let wasExecuteOnly =
      area.rights == .execute && area.key == process.space.layout.protectionKeys.executeOnly
    return wasExecuteOnly ? 0 : area.key
  }
}
