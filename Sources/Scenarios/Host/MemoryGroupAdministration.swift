// SPDX-License-Identifier: MIT
internal import Machine
public import VMM

/// Groups of processes whose memory is counted and limited together, see `Kernel.makeGroup`.
public protocol MemoryGroupAdministration: AnyObject {
  /// A new group.
  func makeGroup(_ name: String, in parent: UInt16) throws(Errno) -> UInt16
  /// Removes one.
  func removeGroup(_ number: UInt16) throws(Errno)
  /// Limit and counters.
  func group(_ number: UInt16) throws(Errno) -> MemoryGroup
  /// What its pages are.
  func statistics(ofGroup number: UInt16) throws(Errno) -> MemoryGroupStatistics
  /// Moves a process into a group; 0 is none.
  func move(_ pid: UInt32, toGroup number: UInt16) throws(Errno)
  /// Limits a group.
  func setLimit(ofGroup number: UInt16, bytes: UInt64) throws(Errno)
  /// Whether a process of the group is ended when nothing can be reclaimed.
  func setKilling(ofGroup number: UInt16, _ isOn: Bool) throws(Errno)
  /// Its peak begins anew.
  func resetPeak(ofGroup number: UInt16) throws(Errno)
  /// Its failures are counted anew.
  func resetFailures(ofGroup number: UInt16) throws(Errno)
}

extension MachineHost {
  /// A new group.
  public func makeGroup(_ name: String, in parent: UInt16) throws(Errno) -> UInt16 {
    try kernel.makeGroup(name, in: parent)
  }
  /// Removes one.
  public func removeGroup(_ number: UInt16) throws(Errno) { try kernel.removeGroup(number) }
  /// Limit and counters.
  public func group(_ number: UInt16) throws(Errno) -> MemoryGroup { try kernel.group(number) }
  /// What its pages are.
  public func statistics(ofGroup number: UInt16) throws(Errno) -> MemoryGroupStatistics {
    try kernel.statistics(ofGroup: number)
  }
  /// Moves a process.
  public func move(_ pid: UInt32, toGroup number: UInt16) throws(Errno) {
    try kernel.move(process(pid), toGroup: number)
  }
  /// Limits a group.
  public func setLimit(ofGroup number: UInt16, bytes: UInt64) throws(Errno) {
    defer { machine.deliverInvalidations() }
    try kernel.setLimit(ofGroup: number, bytes: bytes)
  }
  /// Whether processes are ended.
  public func setKilling(ofGroup number: UInt16, _ isOn: Bool) throws(Errno) {
    try kernel.setKilling(ofGroup: number, isOn)
  }
  /// Its peak begins anew.
  public func resetPeak(ofGroup number: UInt16) throws(Errno) { try kernel.resetPeak(ofGroup: number) }
  /// Its failures are counted anew.
  public func resetFailures(ofGroup number: UInt16) throws(Errno) {
    try kernel.resetFailures(ofGroup: number)
  }
}
