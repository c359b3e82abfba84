// SPDX-License-Identifier: MIT
import Foundation
import Testing
import Workloads

/// Bad input ends in one line that names the file, the line and what to do.
@Suite struct LackeyErrorTests {
  static let cases: [(text: String, expected: String)] = [
    ("I  04001000,3\nX  04001000,3\n", "t.7.txt:2: 'X  04001000,3' is not a line of a lackey trace"),
    ("I  0400g000,3\n", "t.7.txt:1: 'I  0400g000,3' has no 64-bit hexadecimal address"),
    ("I  ,3\n", "t.7.txt:1: 'I  ,3' has no 64-bit hexadecimal address"),
    ("I  04001000\n", "t.7.txt:1: 'I  04001000' has no 64-bit hexadecimal address"),
    (" L 10000000000000000,8\n", "t.7.txt:1: ' L 10000000000000000,8' has no 64-bit hexadecimal address"),
    (" L 1000,0\n", "t.7.txt:1: ' L 1000,0' has no size from 1 to 4096"),
    (" S 1000,4097\n", "t.7.txt:1: ' S 1000,4097' has no size from 1 to 4096"),
    (" S 1000,8x\n", "t.7.txt:1: ' S 1000,8x' has no size from 1 to 4096"),
    (" S 1000,99999999999999999999\n", "has no size from 1 to 4096"),
    (" M ffffffffffffffff,2\n", "t.7.txt:1: ' M ffffffffffffffff,2' runs past the end of the address space"),
    ("I  04001000,3\nI  04001000,1", "t.7.txt:2: the trace ends inside a line"),
    ("I  04001000,3\nSYSCALL[7,1](9) sys_mm", "t.7.txt:2: the trace ends inside a line"),
    (
      "I  04001000,3\nSYSCALL[7,1](39) sys_getpid ()[sync] --> Succ",
      "t.7.txt:2: the trace ends inside a line"
    ),
    ("I  04001000,3\n--7", "t.7.txt:2: the trace ends inside a line"),
    ("==7== Lackey, an example Valgrind tool\n==7== \n", "t.7.txt: the trace holds no record"),
    ("", "t.7.txt: the trace holds no record"),
    ("\u{FD}", "t.7.txt:1: the trace ends inside a line"),
    ("SYSCALL[7,1](9 sys_mmap\n", "t.7.txt:1: 'SYSCALL[7,1](9 sys_mmap' is not a system call"),
    (
      "SYSCALL[7,1](12) sys_brk ( 0x0 ) --> [pre-success] Success(y) \n", "is not a system call that valgrind"
    ),
    (
      "SYSCALL[7,1](61) ... [async] --> Success(0x0) \n",
      "t.7.txt:1: the answer of a system call that was never"
    ),
    (
      "I  04001000,3\n --> [pre-success] Success(0x0) \n",
      "t.7.txt:2: the answer of a system call that was never"
    ),
    ("==7== x\nSYSCALL[8,1](39) sys_getpid ()[sync] --> Success(0x8) \n", "t.7.txt:2: a line of process 8"),
  ]

  @Test(arguments: cases) func isRefused(_ text: String, _ expected: String) throws {
    let message = try #require(try failure(text.utf8))
    #expect(message.contains(expected), "\(message)")
    #expect(message.contains("; "), "advice is missing: \(message)")
    #expect(!message.contains("\n"))
  }

  @Test func compressedTracesAreNamed() throws {
    #expect(try failure([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00])?.contains("xz -dc") == true)
    #expect(try failure([0x1F, 0x8B, 0x08, 0x00])?.contains("gzip -dc") == true)
  }

  @Test func linesWithoutEndAreRefused() throws {
    let endless = [UInt8](repeating: 0x41, count: 3 << 20)
    #expect(try failure(endless)?.contains("t.7.txt:1: a line is longer than 65536 bytes") == true)
  }

  @Test func binaryIsRefused() throws {
    var random = SeededGenerator(seed: 1)
    for _ in 0..<50 {
      let bytes = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) }
      #expect(try failure(bytes) != nil)
    }
  }

  @Test func missingFilesAndFoldersWithoutTraces() throws {
    let folder = try TemporaryFolder()
    #expect(throws: TraceError.self) { try TraceInput.open(paths: [folder.path + "/none.txt"]) }
    #expect(throws: TraceError(file: folder.path, problem: .noTrace)) {
      try TraceInput.open(paths: [folder.path])
    }
    #expect(throws: TraceError(file: "-", problem: .noTrace)) { try TraceInput.open(paths: []) }
  }

  @Test func oneProcessMayNotAppearTwice() throws {
    let folder = try TemporaryFolder()
    let paths = [try folder.write("a.7.txt", "I  1000,1\n"), try folder.write("b.7.txt", "I  1000,1\n")]
    #expect(throws: TraceError(file: paths[1], problem: .duplicateProcess(7))) {
      try TraceInput.open(paths: paths)
    }
  }

  /// Damage anywhere in a real trace is refused or gives a trace; it never crashes or hangs.
  @Test(arguments: 0..<400) func damageIsSurvived(_ seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    var bytes = try fixtureBytes("munmap01.5773.txt")
    switch seed % 4 {
    case 0:
      bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
    case 2: bytes.removeSubrange(0..<Int.random(in: 1..<bytes.count, using: &random))
    default:
      for _ in 0..<20 {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
    }
    let folder = try TemporaryFolder()
    let file = try folder.write("t.5773.txt", bytes)
    do {
      #expect(try events([file]).last == "exit")
    } catch let error as FeedFailure<Never> {
      #expect(error.description.contains("t.5773.txt"))
    } catch let error as TraceError {
      #expect(error.description.contains("t.5773.txt"))
    }
  }
}
