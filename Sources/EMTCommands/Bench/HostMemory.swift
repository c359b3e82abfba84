// SPDX-License-Identifier: MIT
internal import Foundation

/// What the host says of this program's memory.
@usableFromInline enum HostMemory {
  /// A figure of `/proc/self/status`, in bytes; 0 where the host does not tell.
  static func bytes(_ name: String) -> UInt64 {
    guard let data = try? FileHandle(forReadingAtPath: "/proc/self/status")?.readToEnd() else { return 0 }
    for line in String(decoding: data, as: UTF8.self).split(separator: "\n") where line.hasPrefix(name + ":")
    {
      return (UInt64(line.filter(\.isNumber)) ?? 0) << 10
    }
    return 0
  }

  /// Lets the host count the peak of this program's memory from now on (`clear_refs`, value 5).
  /// - Returns: false where the host does not do that.
  @usableFromInline static func forgetPeak() -> Bool {
    guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return false }
    defer { try? file.close() }
    do { try file.write(contentsOf: Data("5".utf8)) } catch { return false }
    return true
  }
}
