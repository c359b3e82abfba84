// SPDX-License-Identifier: MIT
internal import EMTCore

extension Kernel {
  /// `prctl(option, …)` for PR_SET_THP_DISABLE 41, PR_GET_THP_DISABLE 42, PR_SET_MEMORY_MERGE 67 and
  /// PR_GET_MEMORY_MERGE 68. Arguments that an option does not use have to be zero.
  /// - Throws: `.einval` for other options and arguments, `.enomem` from `setMemoryMerge`.
  @inlinable
  func prctl(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let isUnused = request[2] | request[3] | request[4] == 0
    guard isUnused else { throw .einval }
    switch request[0] & 0xFFFF_FFFF {
    case 41: setHugePagesDisabled(process.space, request[1] != 0)
    case 67: try setMemoryMerge(process.space, request[1] != 0)
    case 42 where request[1] == 0: return process.space.layout.disablesHugePages ? 1 : 0
    case 68 where request[1] == 0: return process.space.layout.mergesEverything ? 1 : 0
    default: throw .einval
    }
    return 0
  }

  @usableFromInline func setHugePagesDisabled(_ space: Space<Database>, _ isOn: Bool) {
    space.layout.disablesHugePages = isOn
  }
}
