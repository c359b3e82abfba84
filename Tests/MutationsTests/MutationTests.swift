// SPDX-License-Identifier: MIT
import Foundation
import Mutations
import Testing

/// What the list of planted bugs promises.
@Suite("Planted bugs") struct MutationTests {
  @Test func noneIsInForceUnlessChosen() {
    guard !Mutation.isAvailable else { return }
    #expect(Mutation.current == nil)
    #expect(Mutation.allCases.allSatisfy { !$0.isPlanted })
  }

  @Test func namesLeadBack() {
    let names = Mutation.allCases.map(\.name)
    #expect(names.count >= 45)
    #expect(Set(names).count == names.count)
    for mutation in Mutation.allCases {
      #expect(Mutation(named: mutation.name) == mutation)
      #expect(mutation.name.allSatisfy { $0.isLetter && $0.isLowercase || $0 == "-" }, "\(mutation.name)")
    }
    #expect(Mutation(named: "shootdown-forgets-cpu") == .shootdownForgetsCPU)
    #expect(Mutation(named: "absent-cpu-not-marked") == .absentCPUNotMarked)
    #expect(Mutation(named: "") == nil)
  }

  @Test func everyBugIsSaidInASentence() {
    let sentences = Mutation.allCases.map(\.summary)
    #expect(Set(sentences).count == sentences.count)
    #expect(sentences.allSatisfy { $0.hasSuffix(".") && $0.count > 20 })
  }

  /// `Docs/Mutations.md` lists every bug in order, and each is planted in the files that it names and nowhere else.
  @Test func theListIsTrue() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let list = try String(contentsOf: root.appendingPathComponent("Docs/Mutations.md"), encoding: .utf8)
    let rows = list.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { row in
      row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    let places = try placesOfBugs(in: root.appendingPathComponent("Sources"))
    #expect(rows.count == Mutation.allCases.count)
    for (row, mutation) in zip(rows, Mutation.allCases) {
      #expect(row[0] == "`\(mutation.name)`")
      #expect(row[2] == mutation.summary)
      let files = row[1].split(separator: "`").map(String.init).filter { $0.hasSuffix(".swift") }
      #expect(Set(files) == places[String(describing: mutation)], "\(mutation.name)")
    }
  }

  /// The files where each case's bug is, from the text of all sources.
  private func placesOfBugs(in sources: URL) throws -> [String: Set<String>] {
    var places: [String: Set<String>] = [:]
    let walker = try #require(FileManager.default.enumerator(atPath: sources.path))
    for case let name as String in walker where name.hasSuffix(".swift") && !name.hasPrefix("Mutations/") {
      let text = try String(contentsOf: sources.appendingPathComponent(name), encoding: .utf8)
      for use in text.components(separatedBy: "Mutation.").dropFirst() {
        let words = use.prefix { $0.isLetter || $0.isNumber || $0 == "." }.split(separator: ".")
        guard words.count == 2, words[1] == "isPlanted" else { continue }
        places[String(words[0]), default: []].insert(name)
      }
    }
    return places
  }
}
