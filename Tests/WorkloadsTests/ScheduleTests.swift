// SPDX-License-Identifier: MIT
import Foundation
import Testing
import Workloads

/// The order of processes, on runs small enough to read.
@Suite struct ScheduleTests {
  static let head = "==7== Lackey, an example Valgrind tool\n"
  static let childHead =
    "==8== Lackey, an example Valgrind tool\n==8== Parent PID: 7\n --> [pre-success] Success(0x0) \n"
  static let exit = ") exit_group( 0 ) --> [pre-success] Success(0x0) \n"

  /// Only what tells the order: switches, accesses' addresses, call numbers, life and death.
  func order(_ files: [(String, String)]) throws -> [String] {
    let folder = try TemporaryFolder()
    for (name, text) in files { _ = try folder.write(name, text) }
    return try events([folder.path]).map { line in
      let words = line.split(separator: " ")
      switch words[0] {
      case "fetch", "load", "store": return String(words[1].dropFirst(2))
      case "call": return "call \(words[1])"
      default: return line
      }
    }
  }

  func fork(_ child: Int, flags: String = "1200011") -> String {
    "SYSCALL[7,1](56) sys_clone ( \(flags), 0x0 )   clone(fork): process 7 created child \(child)\n"
      + " --> [pre-success] Success(0x\(String(child, radix: 16))) \n"
  }

  func exit(_ process: Int) -> String { "SYSCALL[\(process),1](231\(Self.exit)" }

  @Test func aChildRunsToItsEndFirst() throws {
    let parent = Self.head + "I  1000,1\n" + fork(8) + "I  1001,1\n" + exit(7)
    let child = Self.childHead + "I  2000,1\n" + exit(8)
    #expect(
      try order([("t.7.txt", parent), ("t.8.txt", child)]) == [
        "start 7 fresh", "run 7/7", "1000", "call 56", "fork 8 copy", "run 8/8", "2000", "call 231", "exit",
        "run 7/7",
        "1001", "call 231", "exit",
      ])
  }

  @Test func aChildWaitsForASignalThatItsParentSends() throws {
    let parent =
      Self.head + fork(8) + "I  1001,1\nSYSCALL[7,1](62) sys_kill ( 8, 10 ) --> [pre-success] Success(0x0) \n"
      + "I  1002,1\n" + exit(7)
    let child =
      Self.childHead + "I  2000,1\nSYSCALL[8,1](34) sys_pause ( ) --> [async] ... \n"
      + "--8-- async signal handler: signal=10, vgtid=8, tid=1, si_code=0, exitreason VgSrc_None\nI  2001,1\n"
      + exit(8)
    #expect(
      try order([("t.7.txt", parent), ("t.8.txt", child)]).filter { !$0.hasPrefix("call 231") } == [
        "start 7 fresh", "run 7/7", "call 56", "fork 8 copy", "run 8/8", "2000", "run 7/7", "1001", "call 62",
        "run 8/8", "2001", "call 34", "exit", "run 7/7", "1002", "exit",
      ])
  }

  @Test func aSignalThatAProcessSendsItselfHoldsNobodyUp() throws {
    let parent = Self.head + fork(8) + "I  1001,1\n" + exit(7)
    let child =
      Self.childHead
        + """
        SYSCALL[8,1](234) sys_tgkill ( 8, 8, 10 )--8-- tgkill: sending signal 10 to pid 8/8
         --> [async] ...\u{20}
        --8-- async signal handler: signal=10, vgtid=8, tid=1, si_code=-6, exitreason VgSrc_None
        --8-- interrupted_syscall: tid=1, ip=0x580a7ec5, restart=True, sres.isErr=False, sres.val=0
        --8--   completed, but uncommitted: committing
        --8-- delivering signal 10 (SIGUSR1):-6 to thread 1
        I  2000,1

        """ + exit(8)
    #expect(
      try order([("t.7.txt", parent), ("t.8.txt", child)]) == [
        "start 7 fresh", "run 7/7", "call 56", "fork 8 copy", "run 8/8", "call 234", "2000", "call 231",
        "exit",
        "run 7/7", "1001", "call 231", "exit",
      ])
  }

  @Test func aSignalThatInterruptsNoCallIsWaitedForToo() throws {
    let parent =
      Self.head + fork(8) + "I  1001,1\nSYSCALL[7,1](62) sys_kill ( 8, 10 ) --> [pre-success] Success(0x0) \n"
      + exit(7)
    let child =
      Self.childHead + "I  2000,1\n--8-- delivering signal 10 (SIGUSR1):0 to thread 1\nI  2001,1\n" + exit(8)
    #expect(
      try order([("t.7.txt", parent), ("t.8.txt", child)]) == [
        "start 7 fresh", "run 7/7", "call 56", "fork 8 copy", "run 8/8", "2000", "run 7/7", "1001", "call 62",
        "run 8/8", "2001", "call 231", "exit", "run 7/7", "call 231", "exit",
      ])
  }

  @Test func aChildWaitsForBytesInAPipe() throws {
    let parent =
      Self.head + "SYSCALL[7,1](22) sys_pipe ( 0x5000 ) --> [pre-success] Success(0x0) \n" + fork(8)
      + "I  1001,1\nSYSCALL[7,1](1) sys_write ( 4, 0x6000, 5 )[sync] --> Success(0x5) \nI  1002,1\n" + exit(7)
    let child =
      Self.childHead
      + "I  2000,1\nSYSCALL[8,1](0) sys_read ( 3, 0x6000, 5 )[sync] --> Success(0x5) \nI  2001,1\n"
      + exit(8)
    #expect(
      try order([("t.7.txt", parent), ("t.8.txt", child)]).filter { $0 != "call 231" } == [
        "start 7 fresh", "run 7/7", "call 22", "call 56", "fork 8 copy", "run 8/8", "2000", "run 7/7", "1001",
        "call 1",
        "run 8/8", "call 0", "2001", "exit", "run 7/7", "1002", "exit",
      ])
  }

  @Test func aFileThatJustStopsEndsWithTheKill() throws {
    let parent =
      Self.head + fork(8) + "I  1001,1\nSYSCALL[7,1](62) sys_kill ( 8, 9 ) --> [pre-success] Success(0x0) \n"
      + "I  1002,1\n" + exit(7)
    #expect(
      try order([("t.7.txt", parent), ("t.8.txt", Self.childHead + "I  2000,1\n")]) == [
        "start 7 fresh", "run 7/7", "call 56", "fork 8 copy", "run 8/8", "2000", "run 7/7", "1001", "call 62",
        "run 8/8", "exit", "run 7/7", "1002", "call 231", "exit",
      ])
  }

  @Test func aWaitProvesTheEndOfAFileThatJustStops() throws {
    let parent =
      Self.head + fork(8) + "SYSCALL[7,1](61) sys_wait4 ( 8, 0x0, 0, 0x0 )[sync] --> Success(0x8) \n"
      + exit(7)
    #expect(
      try order([("t.7.txt", parent), ("t.8.txt", Self.childHead + "I  2000,1\n")]) == [
        "start 7 fresh", "run 7/7", "call 56", "fork 8 copy", "run 8/8", "2000", "run 7/7", "run 8/8", "exit",
        "run 7/7", "call 61", "call 231", "exit",
      ])
  }

  @Test func aChildThatExecutedAnotherProgramStartsAfresh() throws {
    let child = "==8== Lackey, an example Valgrind tool\n==8== Parent PID: 7\nI  2000,1\n" + exit(8)
    #expect(
      try order([("t.7.txt", Self.head + fork(8, flags: "4111") + exit(7)), ("t.8.txt", child)]) == [
        "start 7 fresh", "run 7/7", "call 56", "fork 8 borrow", "run 8/8", "exec", "2000", "call 231", "exit",
        "run 7/7",
        "call 231", "exit",
      ])
  }

  @Test func aProcessThatLeavesTheTracedWorldEnds() throws {
    let text =
      "I  2000,1\nSYSCALL[7,1](59) sys_execve ( 0x10a009(/bin/true), 0x1, 0x2 )--7-- sys_sigaction: sigNo 1\n"
    #expect(try order([("t.7.txt", text)]) == ["start 7", "run 7/7", "2000", "call 59", "exit"])
  }

  @Test func threadsShareAFile() throws {
    let text =
      Self.head + "SYSCALL[7,1](56) sys_clone ( 3d0f00, 0x1 ) --> [pre-success] Success(0x9) \n"
      + "SYSCALL[7,2](273) sys_set_robust_list ( 0x52, 24 )[sync] --> Success(0x0) \nI  1000,1\n"
      + "SYSCALL[7,1](39) sys_getpid ()[sync] --> Success(0x7) \n"
      + "SYSCALL[7,2](60) exit( 0 ) --> [pre-success] Success(0x0) \n"
    #expect(
      try order([("t.7.txt", text)]) == [
        "start 7 fresh", "run 7/7", "call 56", "fork 9 thread", "run 7/9", "call 273", "1000", "run 7/7",
        "call 39",
        "run 7/9", "call 60", "exit",
      ])
  }

  @Test func childrenWithoutAFileAreCounted() throws {
    let folder = try TemporaryFolder()
    var input = try TraceInput.open(paths: [
      try folder.write("t.7.txt", Self.head + fork(8) + fork(9) + exit(7))
    ])
    var sink = CountingSink()
    try input.run(into: &sink)
    #expect(input.untracedChildren == 2)
    #expect(input.processCount == 1 && input.name == "t")
    #expect(sink.systemCalls == 3 && sink.otherEvents == 3)
  }

  @Test func processesThatNobodyMadeAreRootsInOrderOfNumber() throws {
    #expect(
      try order([("t.70.txt", "I  7000,1\n"), ("t.9.txt", "I  9000,1\n")]) == [
        "start 9", "run 9/9", "9000", "exit", "start 70", "run 70/70", "7000", "exit",
      ])
  }

  @Test func theOrderDoesNotDependOnTheOrderOfFiles() throws {
    let folder = try TemporaryFolder()
    let parent = try folder.write("t.7.txt", Self.head + fork(8) + "I  1001,1\n" + exit(7))
    let child = try folder.write("t.8.txt", Self.childHead + "I  2000,1\n" + exit(8))
    #expect(try events([parent, child]) == events([child, parent]))
  }

  @Test func deadlocksResolveThemselves() throws {
    let wait = "--8-- async signal handler: signal=10, vgtid=8, tid=1, si_code=0, exitreason VgSrc_None\n"
    let child = Self.childHead + wait + "I  2000,1\n" + exit(8)
    let parent = Self.head + fork(8) + wait.replacingOccurrences(of: "8", with: "7") + "I  1001,1\n" + exit(7)
    let found = try order([("t.7.txt", parent), ("t.8.txt", child)])
    #expect(found.filter { $0 == "exit" }.count == 2 && found.contains("2000") && found.contains("1001"))
  }
}
