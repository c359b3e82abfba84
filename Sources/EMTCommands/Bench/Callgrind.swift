// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Foundation
internal import Profiling

/// Runs this very program under callgrind.
struct Callgrind {
  /// Where valgrind is.
  private let valgrind: String
  private let folder: URL

  /// Looks for valgrind in PATH.
  init() throws(CommandFailure) {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let candidates = path.split(separator: ":").map { "\($0)/valgrind" }
    guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
      throw .failed(
        "valgrind was not found in PATH; calibration counts instructions with it (Debian: apt install valgrind)"
      )
    }
    valgrind = found
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "emt-callgrind-\(UUID().uuidString)")
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch { throw .failed("\(folder.path): cannot make a temporary folder: \(error)") }
  }

  /// Removes the dumps.
  func remove() { try? FileManager.default.removeItem(at: folder) }

  /// Runs `emt` with `words`; what happens inside functions whose mangled names match `patterns` is left out.
  /// - Returns: what it printed, and the dump of each stretch between two marks.
  func run(
    _ words: [String], without patterns: [String]
  ) throws(CommandFailure) -> (output: String, dumps: [CallgrindProfile]) {
    let name = "dump-\(UUID().uuidString)"
    let process = Process()
    process.executableURL = URL(fileURLWithPath: valgrind)
    process.arguments =
      [
        "--tool=callgrind", "--compress-strings=no", "--compress-pos=no",
        "--callgrind-out-file=\(folder.path)/\(name)", "--dump-before=*15calibrationMark*",
      ] + patterns.map { "--toggle-collect=\($0)" } + ["--collect-atstart=yes", "/proc/self/exe".resolved]
      + words
    // The C library clears and copies pages by vectors then, whatever the processor; callgrind would count every byte
    // of a string instruction.
    process.environment = ProcessInfo.processInfo.environment.merging([
      "GLIBC_TUNABLES":
        "glibc.cpu.x86_rep_stosb_threshold=16777216:glibc.cpu.x86_rep_movsb_threshold=16777216"
    ]) { $1 }
    let output = Pipe()
    process.standardOutput = output
    let complaints = folder.appendingPathComponent(name + ".err").path
    _ = FileManager.default.createFile(atPath: complaints, contents: nil)
    process.standardError = FileHandle(forWritingAtPath: complaints)
    do { try process.run() } catch { throw .failed("\(valgrind): cannot be started: \(error)") }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let last = (try? String(contentsOfFile: complaints, encoding: .utf8)) ?? ""
      let reason = last.split(separator: "\n").last { !$0.hasPrefix("==") } ?? ""
      throw .failed("callgrind ended with status \(process.terminationStatus): \(reason)")
    }
    var dumps: [CallgrindProfile] = []
    while let dump = read("\(name).\(dumps.count + 1)") { dumps.append(dump) }
    return (text, dumps)
  }

  private func read(_ name: String) -> CallgrindProfile? {
    guard let data = FileManager.default.contents(atPath: folder.appendingPathComponent(name).path) else {
      return nil
    }
    return CallgrindProfile(String(decoding: data, as: UTF8.self))
  }
}

extension String {
  /// The path without symbolic links.
  fileprivate var resolved: String { URL(fileURLWithPath: self).resolvingSymlinksInPath().path }
}
