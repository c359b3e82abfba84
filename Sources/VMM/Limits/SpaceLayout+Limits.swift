// SPDX-License-Identifier: MIT
internal import Mutations
public import SimMemory

// What the limits of a process say. Sums are made only where there is a limit.
extension SpaceLayout {
  /// Checks that `bytes` more may be mapped (Linux: `may_expand_vm`).
  /// - Parameters:
  ///   - isData: the mapping is private and writable.
  ///   - range: mappings there go first, so that they do not count.
  public func checkRoom(for bytes: UInt64, isData: Bool, replacing range: VirtualRange? = nil) throws(Errno) {
    guard limits.addressSpace != .max || isData && limits.data != .max else { return }
    let replaced = range.map { areas.overlapping($0) } ?? []
    func gone(_ counts: (VMA) -> Bool) -> UInt64 {
      replaced.reduce(0) { $0 + (counts($1) ? $1.range.intersection(range ?? $1.range).bytes : 0) }
    }
    if limits.addressSpace != .max,
      exceeds(limits.addressSpace, mappedBytes - gone { _ in true }, bytes)
    {
      throw .enomem
    }
    if isData, limits.data != .max, exceeds(limits.data, dataBytes - gone(\.isData), bytes) { throw .enomem }
  }

  private func exceeds(_ limit: UInt64, _ used: UInt64, _ bytes: UInt64) -> Bool {
    bytes > limit || used > limit - bytes
  }

  /// Checks that the process may lock anything at all.
  public func checkMayLock(_ privileges: Privileges) throws(Errno) {
    if limits.lockedMemory == 0, !privileges.contains(.lockMemory) { throw .eperm }
  }

  /// Checks that `bytes` more may be locked.
  public func checkLockable(_ bytes: UInt64, _ privileges: Privileges, else errno: Errno) throws(Errno) {
    guard limits.lockedMemory != .max, !privileges.contains(.lockMemory) else { return }
    if exceeds(limits.lockedMemory, lockedBytes, bytes) { throw errno }
  }

  /// Checks that a range may be locked, of which some may be locked already.
  public func checkLockable(_ range: VirtualRange, _ privileges: Privileges) throws(Errno) {
    guard limits.lockedMemory != .max, !privileges.contains(.lockMemory) else { return }
    let already = areas.overlapping(range).reduce(0) {
      $0 + ($1.flags.contains(.locked) ? $1.range.intersection(range).bytes : 0)
    }
    let isTooMuch = exceeds(limits.lockedMemory, lockedBytes - already, range.bytes)
    if isTooMuch, !Mutation.lockLimitIgnored.isPlanted { throw .enomem }
  }
}
