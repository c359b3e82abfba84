// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory
internal import VMM

extension Replay {
  /// Adds the contents of the running process's memory to the digest: addresses and bytes, not frames, so that drivers
  /// can be compared. Where contents are does not matter: private pages in swap and file pages that reclaim took count
  /// as if they were in memory, so runs with and without pressure can be compared too.
  mutating func digest() {
    guard let space else { return }
    var database = space.database
    database.context.cpu = machine.platform.platform.observer
    for area in space.layout.areas.areas {
      var iterator = database.makeIterator(over: area.range)
      while let object = database.nextMapped(&iterator) {
        machine.kernel.forEachPrivatePage(of: object, in: database) { add($0.raw, $1) }
      }
      database.endIteration(iterator)
      guard area.file != .none else { continue }
      for (page, contents) in machine.kernel.fileContents(of: area) {
        add(area.range.start.raw &+ (page << 12 &- area.offset), contents)
      }
    }
  }

  private mutating func add(_ address: UInt64, _ contents: UInt64) {
    for word in [address, contents] {
      tally.contentDigest = (tally.contentDigest ^ word) &* 0x9E37_79B9_7F4A_7C15
      tally.contentDigest ^= tally.contentDigest >> 29
    }
  }
}
