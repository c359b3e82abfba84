// SPDX-License-Identifier: MIT
internal import VMM

extension VMA {
  /// The area's properties as words of VmFlags, see CHost.h.
  var hostFlags: UInt32 {
    let words: [VMAFlags] = [
      [], .mayWrite, .mayExecute, .growsDown, .locked, .sequential, .random, .dontFork, .accounted,
      .noReserve,
      .wipeOnFork, .dontDump, .mergeable, .sealed, .droppable, .hugePages, .noHugePages,
    ]
    // Whoever can be mapped can be read.
    var bits: UInt32 = 1
    for (bit, word) in words.enumerated() where !word.isEmpty && flags.contains(word) {
      bits |= 1 << UInt32(bit)
    }
    return bits
  }
}
