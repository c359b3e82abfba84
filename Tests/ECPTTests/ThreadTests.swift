// SPDX-License-Identifier: MIT
import ClusterTableSupport
import Testing

@Suite struct ThreadTests {
  @Test func pagesAreNeverLostOrCrossedWhileTwoThreadsFaultAndOneWalks() throws { try Rig.checkThreads() }

  @Test func locksOfOneRegionExcludeEachOtherAndThoseOfEverything() throws { try Rig.checkLocks() }
}
