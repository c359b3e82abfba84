// SPDX-License-Identifier: MIT
public import VMM

/// One step of a random program that the host's kernel and the simulated one both carry out.
public struct HostStep: Sendable, Equatable {
  /// Which process does it; process 0 exists from the start.
  public var process: UInt32
  /// What it does.
  public var action: Action

  /// What a process does.
  public enum Action: Sendable, Equatable {
    /// A system call with up to six arguments. mincore with a vector at 0 answers outside of the program's memory.
    case call(SystemCallNumber, [UInt64])
    /// Loads a byte.
    case load(UInt64)
    /// Stores a byte.
    case store(UInt64, UInt8)
    /// Makes a child with this number.
    case fork(UInt32)
    /// Ends.
    case exit
    /// Bytes of a file, to nowhere in the program's memory.
    case readFile(UInt64, offset: UInt64, count: UInt64)
    /// Bytes `value`, `value` + 1 and so on into a file.
    case writeFile(UInt64, offset: UInt64, count: UInt64, value: UInt8)
    /// How large a file is.
    case fileSize(UInt64)
    /// Only looks.
    case look
    /// `pread` (`.store`: into memory) or `pwrite` of the program's own memory.
    case moveBytes(UInt64, address: UInt64, count: UInt64, offset: UInt64, isRead: Bool)
  }

  /// A step.
  public init(_ process: UInt32, _ action: Action) {
    self.process = process
    self.action = action
  }
}

extension HostStep: CustomStringConvertible {
  /// As a line of a report.
  public var description: String {
    let words =
      switch action {
      case .call(let number, let arguments):
        "\(number)(\(arguments.map(HostStep.text).joined(separator: ", ")))"
      case .load(let address): "load \(HostStep.text(address))"
      case .store(let address, let value): "store \(value) at \(HostStep.text(address))"
      case .fork(let child): "fork, the child is process \(child)"
      case .exit: "exit"
      case .readFile(let file, let offset, let count): "read \(count) bytes at \(offset) of file \(file)"
      case .writeFile(let file, let offset, let count, let value):
        "write \(count) bytes from \(value) on at \(offset) of file \(file)"
      case .fileSize(let file): "size of file \(file)"
      case .look: "look"
      case .moveBytes(let file, let address, let count, let offset, let isRead):
        (isRead ? "pread" : "pwrite")
          + "(\(file), \(HostStep.text(address)), \(HostStep.text(count)), \(HostStep.text(offset)))"
      }
    return "[\(process)] \(words)"
  }

  /// Addresses of the window as pages and bytes from its start, other numbers as they are read best.
  static func text(_ value: UInt64) -> String {
    let window = HostWindow.start
    if value >= window - (1 << 20), value < window + HostWindow.bytes {
      let distance = Int64(bitPattern: value &- window)
      let (page, rest) = (distance >> 12, distance & 4095)
      return "W" + (page < 0 ? "\(page)" : "+\(page)") + (rest == 0 ? "" : "+\(rest) bytes")
    }
    if value > 1 << 62 {
      return value > .max - (1 << 20) ? "\(Int64(bitPattern: value))" : hexadecimal(value)
    }
    if value >= 4096, value & 4095 == 0, value < 1 << 24 { return "\(value >> 12) pages" }
    return value < 1 << 20 ? "\(value)" : hexadecimal(value)
  }

  private static func hexadecimal(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
}

/// The addresses that random programs use: nothing else lives there on either side.
enum HostWindow {
  /// The first address; far from where kernels place mappings by themselves.
  static var start: UInt64 { 0x1000_0000_0000 }
  /// How much is looked at.
  static var bytes: UInt64 { 64 << 20 }
  /// Pages that are looked at one by one.
  static var pages: UInt64 { 64 }
}
