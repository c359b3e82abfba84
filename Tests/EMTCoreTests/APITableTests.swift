// SPDX-License-Identifier: MIT
import Foundation
import Testing

/// `Docs/API.md` lists exactly what the protocols require, in Swift's own spelling.
struct APITableTests {
  private static var root: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
  }

  private static let sources = [
    "Object/TranslationObject.swift", "Database/TranslationDatabase.swift",
    "Service/TranslationService.swift",
    "Customizable/TranslationIteration.swift", "Customizable/HugePageTranslation.swift",
    "Customizable/AddressRangeTranslation.swift", "Customizable/RangeLocking.swift",
    "Customizable/SwapTranslation.swift", "Customizable/TranslationFlushing.swift",
    "Customizable/InPlaceTranslation.swift",
  ]
  /// Requirements that the table's last section explains in words.
  private static let plumbing: Set<String> = [
    "var context: DatabaseContext", "var registers: ControlRegisters<Database>", "func shutDown()",
    "var userEnd: VirtualAddress",
    "mutating func place(_ frame: FrameNumber, _ grants: PageGrants)",
    "init(over range: VirtualRange)", "var position: VirtualAddress", "var end: VirtualAddress",
  ]

  @Test func theTableAndTheProtocolsAgree() throws {
    let text = try String(contentsOf: Self.root.appendingPathComponent("Docs/API.md"), encoding: .utf8)
    var listed: [String] = []
    for line in text.split(separator: "\n") where line.hasPrefix("| ") {
      guard let start = line.range(of: "[`"), let end = line.range(of: "`](") else { continue }
      listed.append(String(line[start.upperBound..<end.lowerBound]))
    }
    #expect(listed.count == 50)
    #expect(Set(listed).count == 50)
    var required: Set<String> = []
    for source in Self.sources {
      let url = Self.root.appendingPathComponent("Sources/EMTCore/" + source)
      required.formUnion(Self.requirements(in: try String(contentsOf: url, encoding: .utf8)))
    }
    #expect(required.subtracting(Self.plumbing).subtracting(listed) == [])
    #expect(Set(listed).subtracting(required) == [])
    #expect(Self.plumbing.subtracting(required) == [])
  }

  @Test func everyLinkOfTheTableLeadsToAFile() throws {
    let text = try String(contentsOf: Self.root.appendingPathComponent("Docs/API.md"), encoding: .utf8)
    var links = 0
    for part in text.components(separatedBy: "](../").dropFirst() {
      let path = String(part.prefix { $0 != ")" })
      #expect(FileManager.default.fileExists(atPath: Self.root.appendingPathComponent(path).path), "\(path)")
      links += 1
    }
    #expect(links >= 50)
  }

  /// The declarations inside `protocol … { }` bodies, each on one line.
  private static func requirements(in text: String) -> Set<String> {
    var found: Set<String> = []
    var isInside = false
    var pending = ""
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.hasPrefix("public protocol") { isInside = true }
      guard isInside, !line.hasPrefix("public protocol") else { continue }
      let trimmed = line.trimmingCharacters(in: .whitespaces)
      let ends =
        trimmed.isEmpty || trimmed.hasPrefix("///") || line == "}" || trimmed.hasPrefix("associatedtype")
      if ends {
        if let declaration = normalised(pending) { found.insert(declaration) }
        pending = ""
      } else if !trimmed.hasPrefix("@") {
        pending += (pending.isEmpty ? "" : " ") + trimmed
      }
      if line == "}" { isInside = false }
    }
    return found
  }

  private static func normalised(_ declaration: String) -> String? {
    var text = declaration
    for (old, new) in [("{ get set }", ""), ("{ get }", ""), ("( ", "("), (" )", ")")] {
      text = text.replacingOccurrences(of: old, with: new)
    }
    text = text.trimmingCharacters(in: .whitespaces)
    let isRequirement = ["func ", "var ", "init(", "static func ", "mutating func "].contains {
      text.hasPrefix($0)
    }
    return isRequirement ? text : nil
  }
}
