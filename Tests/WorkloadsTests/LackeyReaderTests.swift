// SPDX-License-Identifier: MIT
import Events
import Synchronization
import Testing
import Workloads

/// One test per variant of the grammar; the lines come from real traces.
@Suite struct LackeyReaderTests {
  @Test func plainRecordsBecomeAccesses() throws {
    let text = "I  04001000,3\n L 1ffefff,8\n S 1fff000668,8\n M 0421c7cc,4\n"
    #expect(
      try body(text) == [
        "fetch 0x4001000 3", "load 0x1ffefff 8", "store 0x1fff000668 8", "load 0x421c7cc 4",
        "store 0x421c7cc 4",
      ])
  }

  @Test func aCallAnsweredByTheKernelOnItsLine() throws {
    #expect(
      try body("SYSCALL[7,1](10) sys_mprotect ( 0x4a14000, 16384, 1 )[sync] --> Success(0x0) \n") == [
        "call 10 [\"4a14000\", \"4000\", \"1\"] [] success(0) kernel"
      ])
  }

  @Test func aCallAnsweredByTheTracer() throws {
    #expect(
      try body(
        "SYSCALL[7,1](12) sys_brk ( 0x4023fff ) --> [pre-success] Success(0x4023fff) \n"
          + "SYSCALL[7,1](9) sys_mmap ( 0x0, 8192, 3, 34, 4294967295, 0 ) --> [pre-fail] Failure(0xc) \n")
        == [
          "call 12 [\"4023fff\"] [] success(67256319) tracer",
          "call 9 [\"0\", \"2000\", \"3\", \"22\", \"ffffffff\", \"0\"] [] failure(12) tracer",
        ])
  }

  @Test func aSplitCallIsReportedWhereItsAnswerStands() throws {
    let text = """
      SYSCALL[7,1](28) sys_madvise ( 0x4801000, 4096, 12 ) --> [async] ...\u{20}
      I  00401000,3
      SYSCALL[7,1](28) ... [async] --> Failure(0x16)\u{20}

      """
    #expect(
      try body(text) == ["fetch 0x401000 3", "call 28 [\"4801000\", \"1000\", \"c\"] [] failure(22) kernel"])
  }

  @Test func stringsStandBesideTheirArgument() throws {
    #expect(
      try body(
        "SYSCALL[7,1](257) sys_openat ( 4294967196, 0x4dd02f(a, (b).txt), 0 )[sync] --> Success(0x3) \n"
          + "SYSCALL[7,1](262) sys_newfstatat ( 4, 0x4dc1f1(), 0x1fff )[sync] --> Success(0x0) \n"
          + "SYSCALL[7,1](21) sys_access ( 0x4dd02f(mincore01), 0 )[sync] --> Failure(0x2) \n") == [
          "call 257 [\"ffffff9c\", \"4dd02f\", \"0\"] [\"1=a, (b).txt\"] success(3) kernel",
          "call 262 [\"4\", \"4dc1f1\", \"1fff\"] [\"1=\"] success(0) kernel",
          "call 21 [\"4dd02f\", \"0\"] [\"0=mincore01\"] failure(2) kernel",
        ])
  }

  @Test func oddSpellings() throws {
    let text = """
      SYSCALL[7,1](158) arch_prctl ( 4098, 40003c0 ) --> [pre-success] Success(0x0)\u{20}
      SYSCALL[7,1](334) unimplemented (by the kernel) syscall: 334! (ni_syscall)
       --> [pre-fail] Failure(0x26)\u{20}
      SYSCALL[7,1](325) --7-- WARNING: unhandled amd64-linux syscall: 325
      --7-- You may be able to write your own handler.
       --> [pre-fail] Failure(0x26)\u{20}
      vex amd64->IR: unhandled instruction bytes: 0x62 0xF1
      SYSCALL[7,1](72) sys_fcntl[ARG3=='arg'] ( 4, 2, -1 )[sync] --> Success(0x0)\u{20}
      SYSCALL[7,1](228) sys_clock_gettime( 1, 0x53f918 )[sync] --> Success(0x0)\u{20}
      SYSCALL[7,1](56) sys_clone ( 1200011, 0x0, 0x0, 0x4000690, 0x0 )   clone(fork): process 7 created child 9
       --> [pre-success] Success(0x9)\u{20}

      """
    #expect(
      try body(text) == [
        "call 158 [\"1002\", \"40003c0\"] [] success(0) tracer",
        "call 334 [] [] failure(38) tracer",
        "call 325 [] [] failure(38) tracer",
        "call 72 [\"4\", \"2\", \"ffffffffffffffff\"] [] success(0) kernel",
        "call 228 [\"1\", \"53f918\"] [] success(0) kernel",
        "call 56 [\"1200011\", \"0\", \"0\", \"4000690\", \"0\"] [] success(9) tracer",
      ])
  }

  @Test func notesInterruptALine() throws {
    let text = """
      SYSCALL[7,1](62) sys_kill ( 9, 10 )--7-- kill: sent signal 10 to pid 9
       --> [pre-success] Success(0x0) --7-- Returning queued signal 11 (idx 0) for thread 0
      ==7==    at 0x473A41: wait4 (in /opt/x)

      SYSCALL[7,1](15) sys_rt_sigreturn ( )--7-- VG_(signal_return) (thread 1): isRT=1 valid magic; RIP=0x4
       --> [pre-success] NoWriteResult\u{20}

      """
    #expect(
      try body(text) == ["call 62 [\"9\", \"a\"] [] success(0) tracer", "call 15 [] [] unknown tracer"])
  }

  @Test func aRecordMayFollowAnAnswer() throws {
    #expect(
      try body("SYSCALL[7,1](39) sys_getpid ()[sync] --> Success(0x7)  M 0421c7cc,4\nI  00401000,2\n") == [
        "call 39 [] [] success(7) kernel", "load 0x421c7cc 4", "store 0x421c7cc 4", "fetch 0x401000 2",
      ])
  }

  @Test func anInterruptedCallIsReportedEvenIfItStartsAgain() throws {
    let text = """
      SYSCALL[7,1](61) sys_wait4 ( 9, 0x1fff, 0, 0x0 ) --> [async] ...\u{20}
      --7-- async signal handler: signal=17, vgtid=7, tid=1, si_code=1, exitreason VgSrc_None
      --7-- interrupted_syscall: tid=1, ip=0x580a7ec3, restart=True, sres.isErr=False, sres.val=61
      --7--   at syscall instr: restarting
      I  00401000,3
      SYSCALL[7,1](61) sys_wait4 ( 9, 0x1fff, 0, 0x0 ) --> [async] ...\u{20}
      --7-- interrupted_syscall: tid=1, ip=0x580a7ec5, restart=True, sres.isErr=True, sres.val=4
      --7--   completed, but uncommitted: committing

      """
    #expect(
      try body(text) == [
        "fetch 0x401000 3", "call 61 [\"9\", \"1fff\", \"0\", \"0\"] [] unknown kernel",
        "call 61 [\"9\", \"1fff\", \"0\", \"0\"] [] failure(4) kernel",
      ])
  }

  @Test func refusalsAndStackGrowth() throws {
    let text = """
      I  00401b0e,3
      --7-- sync signal handler: signal=11, si_code=1, EIP=0x49e617, eip=0x100295a751, from kernel
      --7-- SIGSEGV: si_code=1 faultaddr=0x1ffeffeb68 tid=1 ESP=0x1ffeffeb60 seg=0x1ffe801000-0x1ffeffefff
      --7--        -> extended stack base to 0x1ffeffe000
      I  0049e610,7
      --7-- SIGSEGV: si_code=2 faultaddr=0x4802000 tid=1 ESP=0x1fff000220 seg=NULL
      I  0049e617,7
      --7-- SIGSEGV: si_code=1 faultaddr=0x4802000 tid=1 ESP=0x1fff000220 seg=NULL
      --7-- delivering signal 11 (SIGSEGV):1 to thread 1
      --7--        -> extended stack base to 0x1fff000000
      --7-- sync signal handler: signal=7, si_code=2, EIP=0x109475, eip=0x1002a90126, from kernel
      --7-- delivering signal 7 (SIGBUS):2 to thread 1
      --7-- translations not allowed here (0x483c000) - throwing SEGV
      --7-- delivering signal 11 (SIGSEGV):2 to thread 1
      --7-- delivering signal 11 (SIGSEGV):0 to thread 1

      """
    #expect(
      try body(text) == [
        "fetch 0x401b0e 3", "stack 0x1ffeffeb68 0x1ffeffe000", "fetch 0x49e610 7",
        "refused segmentationFault 2 0x4802000", "fetch 0x49e617 7", "refused segmentationFault 1 0x4802000",
        "stack 0x1fff000000 0x1fff000000", "refused busError 2 ?", "refused segmentationFault 2 0x483c000",
      ])
  }

  @Test func withoutSignalNotesAFatalRefusalIsKnownFromTheObituary() throws {
    let text = """
      I  00401b0e,3
      ==7== Process terminating with default action of signal 11 (SIGSEGV)
      ==7==  Bad permissions for mapped region at address 0x4802000
      ==7==    at 0x401B0E: run (munmap01.c:46)

      """
    #expect(try body(text) == ["fetch 0x401b0e 3", "refused segmentationFault 2 0x4802000"])
  }

  @Test func onlyTheProgressThatWasMadeIsReported() throws {
    let folder = try TemporaryFolder()
    let text = String(
      repeating: "I  04001000,3\n==7== \(String(repeating: "x", count: 50_000))\n", count: 260)
    let input = try TraceInput.open(paths: [try folder.write("big.7.txt", text)])
    let calls = Mutex<[UInt64]>([])
    input.onProgress { bytes in calls.withLock { $0.append(bytes) } }
    var sink = CountingSink()
    var run = input
    try run.run(into: &sink)
    #expect(sink.fetches == 260)
    let seen = calls.withLock { $0 }
    #expect(
      (2...3).contains(seen.count) && seen == seen.sorted() && seen.allSatisfy { $0 <= input.totalBytes ?? 0 }
    )
  }
}
