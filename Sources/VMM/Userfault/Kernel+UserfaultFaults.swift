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
    if !area.isAnonymous, hasPage(area.file, area.filePage(at: address)) {
      return area.flags.contains(.userfaultMinor) ? .minor : nil
    }
    return area.flags.contains(.userfaultMissing) ? .missing : nil
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

  /// The next event of the userfaultfd that a descriptor of `process` refers to, as `read` gives it.
  public func takeUserfaultEvent(_ process: Process<Database>, _ descriptor: UInt32) throws(Errno)
    -> UserfaultEvent?
  {
    guard let file = process.descriptors[descriptor] else { throw .ebadf }
    guard let userfault = files[file.file].userfault, userfault.isReady else { throw .einval }
    return userfault.events.isEmpty ? nil : userfault.events.removeFirst()
  }
}
