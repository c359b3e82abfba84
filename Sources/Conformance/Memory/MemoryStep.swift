// SPDX-License-Identifier: MIT
public import VMM

/// One thing that a random program does. Processes are given by their place among those that live, modulo their number, so
/// that steps can be left out.
public enum MemoryStep: Sendable, CustomStringConvertible {
  /// A system call.
  case call(process: Int, SystemCallNumber, [UInt64])
  /// A load of one byte.
  case load(process: Int, UInt64)
  /// A store of one byte.
  case store(process: Int, UInt64, UInt8)
  /// The process copies bytes from `remote` of the other one to `local` of its own, or the other way round.
  case transfer(process: Int, other: Int, local: UInt64, remote: UInt64, bytes: UInt64, isWrite: Bool)
  /// The process forks.
  case fork(process: Int)
  /// The process starts another program.
  case execute(process: Int)
  /// Soft-dirty bits of the process are cleared.
  case clearSoftDirty(process: Int)
  /// All mappings of the process together get a limit in pages; none with zero.
  case limit(process: Int, pages: UInt64)
  /// A swap area comes or goes, where there is swap.
  case swap(isOn: Bool)
  /// The background job makes huge pages.
  case collapse
  /// The process gives advice on memory of the first process.
  case adviseFirst(process: Int, advice: UInt64, start: UInt64, bytes: UInt64)
  /// The process ends, unless it is the first one.
  case exit(process: Int)

  /// The step as Swift source.
  public var description: String {
    func hex(_ value: UInt64) -> String { value < 4096 ? "\(value)" : "0x" + String(value, radix: 16) }
    switch self {
    case .call(let process, let number, let arguments):
      let list = arguments.map(hex).joined(separator: ", ")
      return ".call(process: \(process), .\(number), [\(list)])"
    case .load(let process, let address): return ".load(process: \(process), \(hex(address)))"
    case .store(let process, let address, let value):
      return ".store(process: \(process), \(hex(address)), \(value))"
    case .transfer(let process, let other, let local, let remote, let bytes, let isWrite):
      return ".transfer(process: \(process), other: \(other), local: \(hex(local)), remote: \(hex(remote)), "
        + "bytes: \(bytes), isWrite: \(isWrite))"
    case .execute(let process): return ".execute(process: \(process))"
    case .clearSoftDirty(let process): return ".clearSoftDirty(process: \(process))"
    case .limit(let process, let pages): return ".limit(process: \(process), pages: \(pages))"
    case .swap(let isOn): return ".swap(isOn: \(isOn))"
    case .collapse: return ".collapse"
    case .adviseFirst(let process, let advice, let start, let bytes):
      return
        ".adviseFirst(process: \(process), advice: \(advice), start: \(hex(start)), bytes: \(hex(bytes)))"
    case .fork(let process): return ".fork(process: \(process))"
    case .exit(let process): return ".exit(process: \(process))"
    }
  }
}
