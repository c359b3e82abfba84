// SPDX-License-Identifier: MIT
import Foundation
import Testing

/// The rules of the house that can be read off the sources: who imports whom, what neutral code may say, how long a
/// file gets, where unsafe code lives.
struct LayeringTests {
  /// Which of our modules each module may import (`Docs/Architecture.md`).
  static let allowed: [String: Set<String>] = [
    "Mutations": [],
    "SimMemory": ["Mutations"],
    "EntryFormats": ["SimMemory"],
    "Events": ["SimMemory"],
    "EMTCore": ["SimMemory", "Mutations"],
    "Drivers": ["EMTCore", "EntryFormats", "SimMemory", "X86Object", "ClusterTable", "Mutations"],
    "VMM": ["EMTCore", "SimMemory", "Mutations"],
    "MMU": ["EntryFormats", "SimMemory", "Mutations"],
    "Machine": ["VMM", "MMU", "EMTCore", "SimMemory", "Events"],
    "Workloads": ["Events", "SimMemory"],
    "Reference": ["EMTCore", "SimMemory"],
    "Scenarios": ["Machine", "VMM", "MMU", "EMTCore", "SimMemory"],
    "Conformance": ["Scenarios", "Machine", "Reference", "CHost", "VMM", "MMU", "EMTCore", "SimMemory"],
    "Profiling": ["EMTCore", "SimMemory"],
  ]
  static let ours: Set<String> = [
    "Mutations", "SimMemory", "EntryFormats", "Events", "EMTCore", "X86Object", "ClusterTable", "Radix",
    "Radix5", "FPT", "ECPT", "Hashed", "Catalog",
    "VMM", "MMU", "Machine", "Workloads", "Reference", "Scenarios", "Conformance", "Profiling",
    "EMTCommands", "CHost",
  ]

  @Test func modulesImportOnlyWhatTheDesignAllows() throws {
    var checked = 0
    for file in try Source.all(in: "Sources")
    where !file.path.hasPrefix("Sources/Drivers/Catalog") {
      guard let rule = Self.allowed[file.module] else { continue }
      for name in file.imports where Self.ours.contains(name) {
        let isFPTOnRadix = file.path.hasPrefix("Sources/Drivers/FPT") && name == "Radix"
        #expect(rule.contains(name) || isFPTOnRadix, "\(file.path) imports \(name)")
        checked += 1
      }
    }
    #expect(checked > 100)
  }

  @Test func noFoundationBelowWorkloads() throws {
    let modules: Set<String> = [
      "Mutations", "SimMemory", "EntryFormats", "Events", "EMTCore", "Drivers", "VMM", "MMU", "Machine",
      "Reference", "Scenarios",
    ]
    for file in try Source.all(in: "Sources") where modules.contains(file.module) {
      #expect(!file.imports.contains { $0.hasPrefix("Foundation") }, "\(file.path) imports Foundation")
    }
  }

  @Test(arguments: ["Sources/EMTCore", "Sources/VMM"])
  func neutralCodeKnowsNoPageTable(_ folder: String) throws {
    let words = [
      "level", "pte", "ptes", "pmd", "pud", "pgd", "p4d", "cuckoo", "radix", "ecpt", "fpt", "cwt", "hashed",
      "pagetable",
      "x86entry",
    ]
    let files = try Source.all(in: folder)
    #expect(files.count > 20)
    for file in files {
      for (number, line) in file.codeLines {
        let found = line.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
        for word in words {
          #expect(!found.contains(word), "\(file.path):\(number): neutral code says '\(word)'")
        }
      }
    }
  }

  @Test func filesStayShort() throws {
    let files = try Source.all(in: "Sources") + Source.all(in: "Tests")
    let lengths = files.map(\.lineCount).sorted()
    #expect(lengths[lengths.count / 2] <= 150, "the median file has \(lengths[lengths.count / 2]) lines")
    for file in files { #expect(file.lineCount <= 400, "\(file.path) has \(file.lineCount) lines") }
  }

  @Test func everyFileSaysItsLicence() throws {
    for file in try Source.all(in: "Sources") + Source.all(in: "Tests") {
      #expect(file.text.hasPrefix("// SPDX-License-Identifier: MIT"), "\(file.path)")
    }
  }

  @Test func unsafeCodeLivesInFilesThatSaySo() throws {
    for file in try Source.all(in: "Sources") where !file.path.hasSuffix("Unsafe.swift") {
      for (number, line) in file.codeLines {
        let words = line.split { !$0.isLetter && $0 != "@" && $0 != "_" }
        #expect(!words.contains("unsafe"), "\(file.path):\(number)")
      }
    }
  }
}
