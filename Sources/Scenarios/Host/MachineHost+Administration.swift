// SPDX-License-Identifier: MIT
public import EMTCore
internal import Machine
public import SimMemory
public import VMM

// Files, memory, and what administrators do.
extension MachineHost: Administration {
  /// The kernel's files.
  public var files: FileTable { kernel.files }
  /// Bytes of a file.
  public func readFile(_ id: FileID, at offset: UInt64, count: UInt64) throws(Errno) -> [UInt8] {
    try kernel.readFile(id, at: offset, count: count)
  }
  /// Bytes into a file.
  public func writeFile(_ id: FileID, at offset: UInt64, _ bytes: [UInt8]) throws(Errno) {
    try kernel.writeFile(id, at: offset, bytes)
  }
  /// Itself.
  public var administration: any Administration { self }
  /// The driver's page sizes.
  public var pageSizes: PageSizes { kernel.service.pageSizes }
  /// Behind the last user address.
  public var userEnd: UInt64 { kernel.userEnd.raw }
  /// Free frames.
  public var freeFrames: UInt64 { frames.freeFrames }
  /// Planned failures.
  public func injectFailure(after successes: Int?, staysBroken: Bool) {
    if let successes {
      frames.injectFailure(after: successes, staysBroken: staysBroken)
    } else {
      frames.stopInjectingFailures()
    }
  }

  /// Adds a swap area.
  public func swapOn(pages: UInt64, priority: Int) throws(Errno) -> Int {
    try kernel.swapOn(pages: pages, priority: priority)
  }
  /// Removes one.
  public func swapOff(_ number: Int) throws(Errno) {
    defer { machine.deliverInvalidations() }
    try kernel.swapOff(number)
  }
  /// Used slots.
  public var usedSwap: UInt64 { kernel.swap.used }
  /// Reclaims.
  public func reclaim(node: Int, count: UInt64) -> UInt64 {
    defer { machine.deliverInvalidations() }
    return kernel.reclaim(node: node, count: count)
  }
  /// How reclaim chooses.
  public var reclaimPolicy: ReclaimPolicy {
    get { kernel.reclaimPolicy }
    set { kernel.reclaimPolicy = newValue }
  }
  /// Who pays for a shortage.
  public var killsWhenShort: Bool {
    get { kernel.reclaimSettings.kills }
    set { kernel.reclaimSettings.kills = newValue }
  }
  /// Turns of nodes.
  public var interleaveWeights: [UInt64] {
    get { kernel.interleaveWeights }
    set { kernel.interleaveWeights = newValue }
  }
  /// A distance.
  public func setDistance(_ one: Int, _ other: Int, _ distance: Int) {
    kernel.nodeMap[one, other] = distance
    kernel.nodeMap[other, one] = distance
  }
  /// A node's free frames.
  public func freeFrames(node: Int) -> UInt64 { frames.freeFrames(node: node) }
  /// Sizes a pool.
  public func setHugePages(_ size: PageSize, _ count: UInt64) throws(Errno) -> UInt64 {
    try kernel.setHugePages(size, count)
  }
  /// Lets a pool grow.
  public func setHugePageOvercommit(_ size: PageSize, _ count: UInt64) throws(Errno) {
    try kernel.setHugePageOvercommit(size, count)
  }
  /// A pool.
  public func hugePagePool(_ size: PageSize) throws(Errno) -> HugePageCounters {
    try kernel.hugePagePool(size)
  }
  /// A part of a pool.
  public func hugePagePool(_ size: PageSize, node: Int) throws(Errno) -> (total: UInt64, free: UInt64) {
    try kernel.hugePagePool(size, node: node)
  }
  /// A file system of huge pages.
  public func mountHugePages(_ size: PageSize, at path: String) throws(Errno) {
    try kernel.mountHugePages(size, at: path)
  }
  /// Makes huge pages.
  public func collapseInBackground() -> UInt64 {
    defer { machine.deliverInvalidations() }
    return machine.calls.collapseInBackground()
  }
  /// Huge pages so far.
  public var hugePageCounts: HugePageCounts { kernel.hugePageCounts }
  /// Merging.
  public func setMergeMode(_ mode: MergeMode) throws(Errno) {
    defer { machine.deliverInvalidations() }
    try kernel.setMergeMode(mode)
  }
  /// Merges.
  public func mergeSamePages(pages: UInt64) -> UInt64 {
    defer { machine.deliverInvalidations() }
    return kernel.mergeSamePages(pages: pages)
  }
  /// What is merged.
  public func setMergesAcrossNodes(_ isOn: Bool) throws(Errno) { try kernel.setMergesAcrossNodes(isOn) }
  /// Merged pages.
  public var samePages: SamePages { kernel.samePages }
  /// Promises.
  public var overcommit: OvercommitSettings {
    get { kernel.overcommit }
    set { kernel.overcommit = newValue }
  }
  /// Promised pages.
  public var committedPages: UInt64 { kernel.committedPages }
  /// The most areas.
  public var maximumAreas: Int {
    get { kernel.maximumAreas }
    set { kernel.maximumAreas = newValue }
  }
  /// The most segments.
  public var maximumSegments: Int {
    get { kernel.segments.maximumCount }
    set { kernel.segments.maximumCount = newValue }
  }
  /// The segments.
  public var segments: SegmentRegistry { kernel.segments }
  /// Whether there are protection keys.
  public var hasProtectionKeys: Bool {
    get { kernel.hasProtectionKeys }
    set { kernel.hasProtectionKeys = newValue }
  }
  /// The window around a load.
  public var faultAroundPages: UInt64 {
    get { kernel.faultAroundPages }
    set { kernel.faultAroundPages = newValue }
  }
  /// Hinting faults.
  public func markForHints() -> UInt64 {
    defer { machine.deliverInvalidations() }
    return kernel.markForHints()
  }
  /// Who would be killed.
  public func badness(_ pid: UInt32) -> UInt64 { kernel.badness(of: process(pid)) }
  /// Who is there.
  public var processes: [UInt32] { kernel.processes.keys.sorted() }
}
