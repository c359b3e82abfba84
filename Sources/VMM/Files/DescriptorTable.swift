// SPDX-License-Identifier: MIT

/// An open file description: shared by the descriptors that `dup` and `fork` make of it.
public final class OpenFile {
  /// The file.
  public let file: FileID
  /// The path it was opened by; empty when it has none.
  public let path: String
  /// Whether it may be read.
  public let isReadable: Bool
  /// Whether it may be written.
  public let isWritable: Bool
  /// Whether it only names the file (O_PATH), so that calls on contents are EBADF.
  public let isPath: Bool
  /// Whether writes go to the end.
  public let appends: Bool
  /// Where the next read or write starts.
  public var position: UInt64 = 0
  /// The process that it stands for (pidfd_open).
  public let target: UInt32?
  /// How many descriptors share it.
  public var descriptors = 0

  /// An open file at position zero.
  public init(
    file: FileID, path: String = "", isReadable: Bool = true, isWritable: Bool = true, appends: Bool = false,
    isPath: Bool = false, target: UInt32? = nil
  ) {
    self.file = file
    self.path = path
    self.isReadable = isReadable && !isPath
    self.isWritable = isWritable && !isPath
    self.isPath = isPath
    self.appends = appends
    self.target = target
  }
}

/// A process's descriptors.
public struct DescriptorTable {
  private var open: [UInt32: OpenFile] = [:]

  /// No descriptors.
  public init() {}

  /// What `descriptor` refers to.
  public subscript(descriptor: UInt32) -> OpenFile? { open[descriptor] }

  /// All descriptors, in order.
  public var all: [UInt32] { open.keys.sorted() }

  /// Makes `descriptor` refer to `file`.
  /// - Returns: the open file that lost its last descriptor by that.
  public mutating func set(_ descriptor: UInt32, _ file: OpenFile) -> OpenFile? {
    let lost = close(descriptor)
    file.descriptors += 1
    open[descriptor] = file
    return lost
  }

  /// Frees `descriptor`.
  /// - Returns: the open file that lost its last descriptor by that.
  public mutating func close(_ descriptor: UInt32) -> OpenFile? {
    guard let file = open.removeValue(forKey: descriptor) else { return nil }
    file.descriptors -= 1
    return file.descriptors == 0 ? file : nil
  }

  /// The lowest free descriptor, from 3: the first three are the terminal's.
  public var lowestFree: UInt32 {
    var candidate: UInt32 = 3
    while open[candidate] != nil { candidate += 1 }
    return candidate
  }

  /// A copy for a child: the open files are shared.
  public func inherited() -> DescriptorTable {
    for file in open.values { file.descriptors += 1 }
    return self
  }
}
