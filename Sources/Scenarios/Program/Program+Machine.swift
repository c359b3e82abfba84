// SPDX-License-Identifier: MIT
public import SimMemory
public import VMM

// What administrators and background jobs do, in the scenario's log. Settings are changed on `administration`.
extension Program {
  /// Memory is short: reclaim takes up to `pages` pages of each node; everything it can without a number.
  /// - Returns: how many it took.
  @discardableResult
  public func reclaim(pages: UInt64? = nil, nodes: Int = 1) -> UInt64 {
    let taken = (0..<nodes).reduce(0) { $0 + administration.reclaim(node: $1, count: pages ?? 1 << 40) }
    note("reclaim takes \(taken) pages")
    return taken
  }

  /// `swapon`.
  /// - Returns: the area's number.
  @discardableResult
  public func swapOn(pages: UInt64, priority: Int = 0) throws(Errno) -> Int {
    try act("swapon(pages: \(pages), priority: \(priority))") { () throws(Errno) in
      try administration.swapOn(pages: pages, priority: priority)
    }
  }

  /// `swapoff`.
  public func swapOff(_ number: Int = 0) throws(Errno) {
    try act("swapoff(\(number))") { () throws(Errno) in try administration.swapOff(number) }
  }

  /// `nr_hugepages`.
  /// - Returns: how many pages the pool has now.
  @discardableResult
  public func setHugePool(_ pages: UInt64, _ size: PageSize = .twoMiB) throws(Errno) -> UInt64 {
    try act("nr_hugepages = \(pages)") { () throws(Errno) in try administration.setHugePages(size, pages) }
  }

  /// The pool's counters; zero where there is no such pool.
  public func hugePool(_ size: PageSize = .twoMiB) -> HugePageCounters? {
    do { return try administration.hugePagePool(size) } catch { return nil }
  }

  /// The job that makes huge pages looks at everything.
  /// - Returns: how many it made.
  @discardableResult
  public func collapse(passes: Int = 4) -> UInt64 {
    let made = (0..<passes).reduce(0) { made, _ in made + administration.collapseInBackground() }
    note("khugepaged makes \(made) huge pages")
    return made
  }

  /// The job that merges equal pages looks at `pages` pages.
  public func merge(pages: UInt64) throws(Errno) {
    try act("ksmd looks at \(pages) pages") { () throws(Errno) in
      if administration.samePages.mode != .merge { try administration.setMergeMode(.merge) }
      _ = administration.mergeSamePages(pages: pages)
    }
  }

  /// The program runs on another CPU from now on.
  public func run(on cpu: Int) {
    note("runs on CPU \(cpu)")
    self.cpu = cpu
  }
}
