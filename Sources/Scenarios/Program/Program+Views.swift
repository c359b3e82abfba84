// SPDX-License-Identifier: MIT
internal import SimMemory
public import VMM

// What can be seen of a program's memory.
extension Program {
  /// What is mapped where.
  public var layout: SpaceLayout { host.layout(pid) }
  /// The areas in order.
  public var areas: [VMA] { Array(layout.areas.areas) }
  /// The area at an address.
  public func area(_ address: UInt64) -> VMA? {
    layout.areas.overlapping(VirtualRange(VirtualAddress(address), bytes: 1)).first
  }
  /// Faults so far.
  public var faults: FaultCounts { host.faults(pid) }
  /// Base pages in memory (VmRSS), pages of zeroes and room for structures included.
  public var residentPages: UInt64 { host.counts(pid).resident }
  /// The most there were (VmHWM).
  public var peakPages: UInt64 { host.counts(pid).peak }
  /// Pages in swap (VmSwap).
  public var swappedPages: UInt64 { host.counts(pid).swapped }
  /// Locked pages (VmLck).
  public var lockedPages: UInt64 { layout.lockedBytes / page }
  /// Mapped pages (VmSize).
  public var mappedPages: UInt64 { layout.mappedBytes / page }
  /// The use of memory of the area at an address (smaps); nothing where none is mapped.
  public func use(_ address: UInt64) -> MemoryUse {
    host.memoryUse(pid).first { $0.area.range.contains(VirtualAddress(address)) }?.use ?? MemoryUse()
  }
  /// The use of memory of all areas (smaps_rollup).
  public var use: MemoryUse { host.memoryUse(pid).reduce(MemoryUse()) { $0 + $1.use } }
  /// The bits of one page in /proc/PID/pagemap.
  public func pageMap(_ address: UInt64) -> PageMapEntry {
    host.pageMap(pid, VirtualRange(page: VirtualAddress(address), .base))[0]
  }
  /// The translation of an address.
  public func translation(_ address: UInt64) -> PageView { host.page(pid, address) }
  /// Whether the page is mapped and in memory.
  public func isPresent(_ address: UInt64) -> Bool { translation(address).isPresent }
  /// Whether a huge page is mapped there.
  public func isHuge(_ address: UInt64) -> Bool {
    let view = translation(address)
    return view.isMapped && view.size > .base
  }
  /// Whether mincore says that the page is in memory.
  public func isResident(_ address: UInt64) -> Bool {
    host.residentPages(pid, VirtualRange(page: VirtualAddress(address), .base)) == 1
  }
  /// How many of `pages` pages are mapped and in memory.
  public func presentPages(_ address: UInt64, pages: UInt64) -> UInt64 {
    (0..<pages).reduce(0) { $0 + (isPresent(address + $1 * page) ? 1 : 0) }
  }
  /// What `clear_refs` does.
  public func clearReferences(_ kind: ClearedReferences) {
    note("clear_refs: \(kind)")
    host.clearReferences(pid, kind)
  }
  /// The node of the page at an address; nil when it is not in memory.
  public func node(_ address: UInt64) -> Int? { host.node(pid, address) }

  /// The user that it runs as.
  public var user: UInt32 {
    get { host.credentials(pid).user }
    set {
      note("user \(newValue)")
      change { $0.user = newValue }
    }
  }
  /// What it may do beyond what its user may.
  public var privileges: Privileges {
    get { host.credentials(pid).privileges }
    set {
      note("privileges \(newValue.rawValue)")
      change { $0.privileges = newValue }
    }
  }
  /// Its register of protection keys.
  public var keyRights: KeyRights {
    get { host.credentials(pid).keyRights }
    set {
      note("protection keys 0x\(String(newValue.rawValue, radix: 16))")
      change { $0.keyRights = newValue }
    }
  }
  private func change(_ body: (inout Credentials) -> Void) {
    var credentials = host.credentials(pid)
    body(&credentials)
    host.setCredentials(pid, credentials)
  }

  /// `setrlimit`, for a limit and its ceiling.
  public func setLimit(_ limit: Limit, _ value: UInt64, ceiling: UInt64 = .max) throws(Errno) {
    put([value, ceiling], at: 15 * page)
    try call(.setrlimit, ["resource": limit.rawValue, "limits": scratch(15 * page)])
  }

  /// RLIMIT_*, by Linux's numbers.
  public enum Limit: UInt64, Sendable {
    /// RLIMIT_DATA.
    case data = 2
    /// RLIMIT_STACK.
    case stack = 3
    /// RLIMIT_MEMLOCK.
    case lockedMemory = 8
    /// RLIMIT_AS.
    case addressSpace = 9
  }
}
