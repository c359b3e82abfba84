// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory
internal import VMM

extension Replay {
  /// Adds the contents of the running process's memory to the digest: addresses and bytes, not frames, so that drivers
  /// can be compared.
  mutating func digest() {
    guard let space else { return }
    var database = space.database
    database.context.cpu = machine.platform.platform.observer
    for area in space.layout.areas.areas {
      var iterator = database.makeIterator(over: area.range)
      while let object = database.nextMapped(&iterator) {
        guard object.isPresent, !object.isSpecial else { continue }
        let contents = memory.digest(of: object.physicalAddress, bytes: object.size.bytes)
        for word in [object.start.raw, contents] {
          tally.contentDigest = (tally.contentDigest ^ word) &* 0x9E37_79B9_7F4A_7C15
          tally.contentDigest ^= tally.contentDigest >> 29
        }
      }
      database.endIteration(iterator)
    }
  }
}
