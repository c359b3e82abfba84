// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

extension Kernel {
  /// `getrusage(who, usage)`: RUSAGE_SELF 0, RUSAGE_CHILDREN -1, RUSAGE_THREAD 1, which is the same as SELF here.
  ///
  /// Fills `struct rusage`: ru_maxrss in KiB, ru_minflt and ru_majflt; times and the rest are zero. Children count from
  /// their end on: nobody waits for them here.
  @inlinable
  func getrusage(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let words = try usageWords(process, who: UInt32(truncatingIfNeeded: request[0]))
    for (index, word) in words.enumerated() {
      try storeUser(word, process, request.address(1).advanced(by: UInt64(index) &* 8))
    }
    return 0
  }

  /// The eighteen words of `struct rusage`.
  @usableFromInline func usageWords(_ process: Process<Database>, who: UInt32) throws(Errno) -> [UInt64] {
    let usage: ProcessUsage
    switch who {
    case 0, 1: usage = process.usage
    case .max: usage = process.usageOfChildren
    default: throw .einval
    }
    var words = [UInt64](repeating: 0, count: 18)
    words[4] = usage.peakResidentPages * (PageSize.base.bytes >> 10)
    words[8] = usage.minorFaults
    words[9] = usage.majorFaults
    return words
  }
}
