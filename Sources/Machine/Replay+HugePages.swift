// SPDX-License-Identifier: MIT
internal import EMTCore
internal import VMM

extension Replay {
  /// Lets the background job that makes huge pages do one pass. It wakes at the first entry into the kernel after every
  /// `Machine.collapseInterval` accesses: the same moment on every driver.
  @usableFromInline @inline(never) mutating func collapseInBackground() {
    while nextCollapse <= fetches &+ loads &+ stores { nextCollapse &+= machine.collapseInterval }
    guard machine.calls.collapseInBackground() > 0 else { return }
    machine.deliverInvalidations()
    measureOtherTables()
    runCheck()
  }
}
