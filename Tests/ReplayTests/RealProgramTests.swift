// SPDX-License-Identifier: MIT
import Catalog
import EMTCommands
import Foundation
import Testing

/// Real programs, recorded on a real kernel: Linux's answers are the oracle.
struct RealProgramTests {
  /// Accesses that Linux refused with a signal, by trace.
  static let refusals = ["mmap05": 1, "mmap13": 1, "mprotect04": 1, "munmap01": 2]

  @Test(arguments: Fixtures.names)
  func everyDriverAnswersLikeLinux(_ name: String) throws {
    var reports: [ReplayReport] = []
    for driver in Driver.builtIn {
      let report = try driver.replay(ReplayJob(paths: [Fixtures.path(name)], driver: driver.description.name))
      #expect(report.divergences == 0, "\(report.divergenceNotes)")
      #expect(report.faults.fatal == 0)
      #expect(report.expectedRefusals == UInt64(Self.refusals[name] ?? 0))
      #expect(report.syscalls.memory > 0)
      reports.append(report)
    }
    for report in reports.dropFirst() {
      #expect(report.faults == reports[0].faults)
      #expect(report.mappedPages == reports[0].mappedPages)
      #expect(report.contentDigest == reports[0].contentDigest)
    }
  }

  /// The long tier checks every trace; these cover fork, COW, files, signals, mremap and shared memory.
  @Test(arguments: ["mmap13", "munmap01", "mremap04", "mprotect04", "mlockall01"])
  func driverModelAndWalkerAgreeAfterEveryCall(_ name: String) throws {
    for driver in Driver.builtIn {
      var job = ReplayJob(paths: [Fixtures.path(name)], driver: driver.description.name)
      job.isChecked = true
      let report = try driver.replay(job)
      #expect(report.disagreements.isEmpty, "\(report.disagreements.first ?? "")")
      #expect(report.checks > 40)
      #expect(report.divergences == 0)
    }
  }

  /// Threads and processes on three CPUs: the same answers and bytes, and no TLB with anything stale after any call.
  @Test(arguments: ["fork01", "munmap01"]) func severalCPUsGiveTheSameAnswers(_ name: String) throws {
    for driver in Driver.builtIn {
      var job = ReplayJob(paths: [Fixtures.path(name)], driver: driver.description.name)
      let alone = try driver.replay(job)
      #expect(alone.shootdowns == 0 && alone.interrupts == 0)
      job.cpus = 3
      job.isChecked = name == "munmap01"
      let report = try driver.replay(job)
      #expect(report.cpus == 3)
      #expect(report.divergences == 0, "\(report.divergenceNotes)")
      #expect(report.disagreements.isEmpty, "\(report.disagreements.first ?? "")")
      #expect(report.faults == alone.faults)
      #expect(report.contentDigest == alone.contentDigest)
    }
  }

  /// With memory shared out over several nodes everything is as with one, and it is known which node holds which tables.
  @Test func severalNodes() throws {
    for driver in Driver.builtIn {
      var job = ReplayJob(paths: [Fixtures.path("munmap01")], driver: driver.description.name)
      let one = try driver.replay(job)
      #expect(one.pageTableBytes.peakByNode == nil)
      job.nodes = 4
      let four = try driver.replay(job)
      #expect(four.faults == one.faults && four.mappedPages == one.mappedPages)
      #expect(four.contentDigest == one.contentDigest && four.divergences == 0)
      #expect(four.kernelWork.pageFault == one.kernelWork.pageFault, "placing pages costs no modelled work")
      let nodes = try #require(four.pageTableBytes.peakByNode)
      #expect(nodes.reduce(0, +) == four.pageTableBytes.peak)
      if job.driver == "radix" { #expect(nodes.allSatisfy { $0 > 0 }, "\(nodes)") }
    }
  }

  /// With memory for a part of the pages a program maps, and swap, everything is answered and every byte is the same.
  @Test(arguments: ["fork01", "munmap01", "sample"])
  func littleMemoryAndSwapGiveTheSameAnswers(_ name: String) throws {
    let path = name == "sample" ? Fixtures.sample : Fixtures.path(name)
    for driver in Driver.builtIn {
      var job = ReplayJob(paths: [path], driver: driver.description.name)
      let plenty = try driver.replay(job)
      // The radix trees make the nodes of the kernel's half at boot.
      let kernelTables: UInt64 = driver.description.name.hasPrefix("radix") ? 1032 << 10 : 0
      job.swapPages = 4096
      job.isChecked = name == "munmap01"
      var reclaimed: UInt64 = 0
      // Pages that several processes map are counted for each, so half of the count may still be plenty.
      for part in [2, 6, 12, 20, 30] as [UInt64] where reclaimed == 0 {
        let pages = plenty.mappedPages.peak / part + 24
        job.memoryBytes = kernelTables + plenty.pageTableBytes.peak + pages << 12
        let short = try driver.replay(job)
        reclaimed = short.reclaim.reclaimed
        #expect(short.divergences == 0, "\(short.divergenceNotes)")
        #expect(short.faults.fatal == 0)
        #expect(short.disagreements.isEmpty, "\(short.disagreements.first ?? "")")
        #expect(short.contentDigest == plenty.contentDigest)
      }
      #expect(reclaimed > 0, "\(driver.description.name)")
    }
  }

  @Test func exhaustedMemoryEndsTheReplayWithOneLine() throws {
    let driver = try #require(Driver.builtIn.first)
    var job = ReplayJob(paths: [Fixtures.sample], driver: driver.description.name)
    // 2 MiB would do: pages of the file can be read again.
    job.memoryBytes = 1100 << 10
    do {
      _ = try driver.replay(job)
      Issue.record("1100 KiB cannot be enough")
    } catch {
      #expect(error.status == 1)
      #expect(error.message.contains("memory"))
      #expect(!error.message.contains("\n"))
    }
  }
}

/// The recorded runs beside these tests.
enum Fixtures {
  static let folder = Bundle.module.resourceURL?.appendingPathComponent("Fixtures")

  static var names: [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder?.path ?? "")) ?? []
    return files.filter { $0.hasSuffix(".emtrace") }.map { String($0.dropLast(8)) }.sorted()
  }

  /// The sample that comes with the tool; it needs more than 700 pages.
  static var sample: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Sources/EMTCommands/Sample/sample.emtrace").path
  }

  static func path(_ name: String) -> String { (folder?.path ?? "") + "/" + name + ".emtrace" }
}
