// SPDX-License-Identifier: MIT
import Foundation
import Testing

/// One source file of this package.
struct Source {
  /// The path from the package's root.
  let path: String
  let text: String

  var module: String {
    let parts = path.split(separator: "/")
    return parts.count > 1 ? String(parts[1]) : ""
  }

  var lineCount: Int { text.split(separator: "\n", omittingEmptySubsequences: false).count - 1 }

  var imports: [String] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard let index = words.firstIndex(of: "import"), index <= 2, index + 1 < words.count else {
        return nil
      }
      guard
        words[..<index].allSatisfy({
          ["public", "internal", "package", "@testable", "@_exported"].contains($0)
        })
      else { return nil }
      return String(words[index + 1])
    }
  }

  /// Lines that are not comments, without what follows `//`, with their numbers.
  var codeLines: [(Int, String)] {
    text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, line in
      let code = line.range(of: "//").map { line[..<$0.lowerBound] } ?? line
      return code.allSatisfy(\.isWhitespace) ? nil : (index + 1, String(code))
    }
  }

  /// The package's root: two folders above this file's folder.
  static var root: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
  }

  static func all(in folder: String) throws -> [Source] {
    let base = root.appendingPathComponent(folder)
    let walker = try #require(FileManager.default.enumerator(atPath: base.path))
    return try walker.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }.sorted().map { name in
      let url = base.appendingPathComponent(name)
      return Source(path: folder + "/" + name, text: try String(contentsOf: url, encoding: .utf8))
    }
  }
}
