// SPDX-License-Identifier: MIT

/// What a process of a random program has besides its memory.
struct Possessions {
  /// The descriptor of the memfd that it, or the process that it descends from, made last, and the model's file.
  var ownFile: (descriptor: UInt64, file: Int)?
  /// MCL_* bits for what it maps from now on.
  var futureLock: UInt64 = 0
  /// Pages of its own that it stored into since soft-dirty bits were cleared; nil before the first time.
  var written: Set<UInt64>?
  /// All its mappings together, in pages; 0 without a limit.
  var limit: UInt64 = 0
}
