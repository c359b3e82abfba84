// SPDX-License-Identifier: MIT

extension DatabaseContext {
  /// Notes that `cpu` runs on the database from now on, and lets it forget the space if it missed a flush meanwhile.
  /// Otherwise its TLB keeps what it knows of the space: that is what the tag is for.
  ///
  /// Alone, without loading registers, it ends what `rest` began.
  public func resume(_ cpu: Int) {
    guard arrive(cpu) else { return }
    let local = platform.cpu(cpu)
    local.meter.count(.invalidation)
    local.mailbox.post(Invalidation(scope: .space(spaceID), range: nil))
  }

  /// Counts a shootdown: the CPUs of `targets` but the one that works get an interrupt each. One CPU alone counts
  /// nothing.
  @inlinable public func interrupt(_ targets: UInt64) {
    let remote = targets & ~(1 << UInt64(cpu.acting))
    guard remote != 0 else { return }
    meter.count(.shootdown)
    meter.count(.interrupt, UInt64(remote.nonzeroBitCount))
  }
}
