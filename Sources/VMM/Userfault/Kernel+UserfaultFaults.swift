// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Faults that wait for user space.
extension Kernel {
  /// Why a fault in an area of a userfaultfd has to wait; nil when it is not about what the monitor asked for.
  @inlinable
  func awaited(_ area: VMA, _ object: Database.Object, _ address: VirtualAddress, _ kind: AccessKind)
    -> UserfaultReason?
  {
    guard !object.isMapped else {
      let isProtected = kind == .store && object.isUserfaultWriteProtected
      return isProtected && area.flags.contains(.userfaultProtect) ? .writeProtected : nil
    }
    return awaitedPage(area, address)
  }

  /// The same where no page is mapped.
  @usableFromInline func awaitedPage(_ area: VMA, _ address: VirtualAddress) -> UserfaultReason? {
    if !area.isAnonymous, hasPage(area.file, area.filePage(at: address)) {
      return area.flags.contains(.userfaultMinor) ? .minor : nil
    }
    return area.flags.contains(.userfaultMissing) ? .missing : nil
  }

  /// What a fault in an area of a userfaultfd comes to; nil when it is an ordinary one. The caller holds the lock.
  @inlinable @inline(never)
  func watchedFault(
    _ space: Space<Database>, _ area: VMA, _ index: Int, _ object: Database.Object,
    _ address: VirtualAddress, _ kind: AccessKind
  ) -> FaultOutcome? {
    guard isProtectionMarker(object, in: space.database) else {
      return awaited(area, object, address, kind).map { .waits($0) }
    }
    if let reason = awaitedPage(area, address) { return .waits(reason) }
    return mapProtected(space, area, index, VirtualRange(page: address, .base), kind)
  }

  /// Whether shared memory has a page, be it in memory or in swap.
  @usableFromInline func hasPage(_ file: FileID, _ page: UInt64) -> Bool {
    files[file].pages[page] != nil || files[file].slots[page] != 0
  }

  /// A program's fault waits: the monitor gets an event.
  @usableFromInline
  func noteWaiting(
    _ space: Space<Database>, _ address: VirtualAddress, _ reason: UserfaultReason, _ kind: AccessKind
  ) {
    guard let area = space.layout.areas.area(at: address), area.userfault != 0 else { return }
    files[FileID(area.userfault)].userfault?.wait(address, reason, isStore: kind == .store)
  }

  /// Whether a fault on the page of `address` still waits for its monitor.
  public func isWaiting(_ space: Space<Database>, _ address: VirtualAddress) -> Bool {
    guard let area = space.layout.areas.area(at: address), area.userfault != 0 else { return false }
    return files[FileID(area.userfault)].userfault?.waiting.contains(address.pageNumber) ?? false
  }
}
