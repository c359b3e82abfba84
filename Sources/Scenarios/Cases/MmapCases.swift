// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let mmap = ScenarioGroup("mmap", mmapFiles)

  private static let mmapFiles: [ScenarioCase] = [
    ScenarioCase("mmap01", "Behind the end of a file its last page reads zero, and stores there never reach it.") { p in
      let file = try p.file("twelve bytes")
      let at = try p.map(1, .shared, file: file)
      p.expectLoads(at, "twelve bytes")
      p.expectZero(at + 12, bytes: page - 12)
      p.store(at + 12, "lost")
      try p.sync(at)
      p.expect(p.size(file), 12, "the file's size")
      p.expectContents(file, "twelve bytes")
    },
  ]
}
