// SPDX-License-Identifier: MIT
import Foundation
import Testing

/// `emt bench` on small sizes: what it reports, not how fast anything is.
struct BenchTests {
  @Test func singleOperationsAreReportedForEverySize() throws {
    let run = try Tool.run([
      "bench", Tool.smallTrace, "--driver", "radix", "--pages", "64,256", "--rounds", "2", "--json",
    ])
    #expect(run.status == 0, "\(run.errors)")
    let rows = try run.jsonLines()
    for name in ["insert", "findDense", "findRandom", "findMiss", "replace", "scan", "remove"] {
      for pages in [64, 256] {
        let row = try #require(
          rows.first { $0["name"] as? String == name && ($0["pages"] as? NSNumber)?.intValue == pages },
          "\(name)")
        #expect(row["schema"] as? String == "emt.bench/1")
        #expect(row["driver"] as? String == "radix")
        #expect((row["rounds"] as? NSNumber)?.intValue == 2)
        for key in ["median", "minimum", "maximum", "spread"] {
          #expect(row[key] is NSNumber, "\(name).\(key)")
        }
        #expect(row["events"] is [String: Any])
      }
    }
    // One write for one page: the meter's counts are divided by the operations.
    let insert = try #require(rows.first { $0["name"] as? String == "insert" }?["events"] as? [String: Any])
    #expect((insert["entryWrite"] as? NSNumber)?.doubleValue == 1)
    for name in ["map", "scan", "fork", "unmap", "replay"] {
      #expect(rows.contains { $0["name"] as? String == name && $0["form"] as? String != "single" }, "\(name)")
    }
  }

  @Test func tablesAreMeasuredForEveryDriver() throws {
    let run = try Tool.run(["bench", "--memory", "--pages", "4K", "--json"])
    #expect(run.status == 0, "\(run.errors)")
    let rows = try run.jsonLines()
    let drivers = Set(rows.compactMap { $0["driver"] as? String })
    #expect(drivers.isSuperset(of: ["radix", "hashed", "ecpt"]))
    for driver in drivers {
      let own = rows.filter { $0["driver"] as? String == driver }
      #expect(own.compactMap { $0["state"] as? String } == ["new process", "dense", "sparse"])
      for row in own {
        let parts = ["nodes", "ways", "walkTables", "summaries"].compactMap {
          (row[$0] as? NSNumber)?.intValue
        }
        let total = (row["total"] as? NSNumber)?.intValue
        #expect(parts.reduce(0, +) == total, "\(driver)")
        // What the driver says and what the frame allocator handed out are the same bytes.
        #expect((row["allocated"] as? NSNumber)?.intValue == total, "\(driver)")
        #expect(try #require(row["peak"] as? NSNumber).intValue >= total ?? 0)
      }
      #expect(own[0]["bytesPerPage"] == nil && own[1]["bytesPerPage"] is NSNumber)
    }
    let radix = try #require(
      rows.first { $0["driver"] as? String == "radix" && $0["state"] as? String == "dense" })
    // A root, two more inner nodes, eight nodes of 512 entries.
    #expect((radix["total"] as? NSNumber)?.intValue == 11 * 4096)
  }

  @Test func insertsAreLookedAtOneByOne() throws {
    let run = try Tool.run(["bench", "--inserts", "--driver", "ecpt", "--pages", "16K", "--json"])
    #expect(run.status == 0, "\(run.errors)")
    let rows = try run.jsonLines()
    #expect(rows.count == 9, "three presets, three orders")
    #expect(Set(rows.compactMap { $0["preset"] as? String }) == ["ours", "emt", "paper"])
    for row in rows {
      let moves = try #require(row["moves"] as? [String: NSNumber])
      let inserts = try #require(row["inserts"] as? NSNumber).intValue
      #expect(moves.values.reduce(0) { $0 + $1.intValue } == inserts)
      let cleared = try #require(row["clearedFrames"] as? [String: NSNumber])
      #expect(cleared.values.reduce(0) { $0 + $1.intValue } == inserts)
      #expect(try #require(row["mostMoves"] as? NSNumber).intValue == moves.keys.compactMap { Int($0) }.max())
      #expect(row["nanoseconds"] is [String: Any])
    }
    let grown = try #require(
      rows.first { $0["preset"] as? String == "ours" && $0["order"] as? String == "random" })
    #expect(try #require(grown["mostMoves"] as? NSNumber).intValue > 0, "a table that grows moves clusters")
    #expect(
      try #require(grown["mostClearedFrames"] as? NSNumber).intValue > 0, "used memory has to be cleared")
  }

  @Test func everyPageOfALargeMappingFaultsOnce() throws {
    let run = try Tool.run(["bench", "--scale", "16M", "--json"])
    #expect(run.status == 0, "\(run.errors)")
    let rows = try run.jsonLines()
    #expect(Set(rows.compactMap { $0["driver"] as? String }).isSuperset(of: ["radix", "hashed", "ecpt"]))
    for row in rows {
      let driver = "\(row["driver"] ?? "")"
      #expect(row["schema"] as? String == "emt.scale/1")
      #expect((row["pages"] as? NSNumber)?.intValue == 4096, "\(driver)")
      // Every translation is at least eight bytes, and a table may have been larger before.
      let tables = try #require(row["tableBytes"] as? NSNumber, "\(driver)").intValue
      #expect(tables >= 4096 * 8, "\(driver)")
      #expect(try #require(row["peakTableBytes"] as? NSNumber, "\(driver)").intValue >= tables, "\(driver)")
      // The tables are in this program's memory.
      #expect(try #require(row["peakHostBytes"] as? NSNumber, "\(driver)").intValue > tables, "\(driver)")
      #expect(try #require(row["modelledPerFault"] as? NSNumber, "\(driver)").doubleValue > 0, "\(driver)")
      #expect(row["countedPerFault"] == nil, "\(driver)")
    }
    let table = try Tool.run(["bench", "--scale", "1M,2M", "--driver", "ecpt"])
    #expect(table.status == 0, "\(table.errors)")
    #expect(table.output.contains("instructions/fault") && table.output.contains("peak host memory"))
    #expect(table.output.split(separator: "\n").count { $0.hasPrefix("ecpt") } == 2, "a line for each size")
  }

  @Test func tablesForPeopleNameTheDrivers() throws {
    let memory = try Tool.run(["bench", "--memory", "--driver", "hashed", "--pages", "256"])
    #expect(memory.status == 0)
    #expect(memory.output.contains("new process") && memory.output.contains("hashed"))
    let inserts = try Tool.run(["bench", "--inserts", "--driver", "hashed", "--pages", "4K"])
    #expect(inserts.status == 0)
    #expect(
      inserts.output.contains("most clusters moved") && inserts.output.contains("inserts by frames cleared"))
  }
}
