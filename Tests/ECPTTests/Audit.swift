// SPDX-License-Identifier: MIT
import ClusterTable
import ECPT
import EMTCore
import EntryFormats
import SimMemory

/// Reads the bytes of a database with code of its own and recounts everything that is counted there.
struct Audit {
  let memory: PhysicalMemory
  let image: PhysicalAddress
  /// Clusters by table and number, and rows of walk tables.
  var clusters: [[UInt64: [UInt64]]] = Array(repeating: [:], count: 5)
  /// The way of each cluster; 3 is the stash.
  var ways: [[UInt64: Int]] = Array(repeating: [:], count: 5)
  var slots = [UInt64](repeating: 0, count: 5)
  var problems: [String] = []
  var largestLoad = 0.0

  init(_ database: ECPTDatabase) {
    memory = database.context.platform.memory
    image = database.block
    for table in 0..<5 {
      for way in 0..<3 { read(table, way) }
      for index in 0..<ECPTRegisters.stashSlots {
        take(image.advanced(by: ECPTRegisters.stash(table, index)), table, 3)
      }
    }
    for table in 0..<5 where word(1024 + UInt64(table) << 6) != UInt64(clusters[table].count) {
      problems.append(
        "table \(table) has \(clusters[table].count) clusters, counted \(word(1024 + UInt64(table) << 6))")
    }
    checkHeaders(database)
  }

  func word(_ offset: UInt64) -> UInt64 { memory.loadRelaxed(image.advanced(by: offset)) }

  private mutating func read(_ table: Int, _ way: Int) {
    let current = ECPTWay(word: word(ECPTRegisters.current(table, way)))
    slots[table] += current.clusters
    for index in 0..<current.clusters { take(current.slot(index), table, way) }
    guard current.hasSuccessor else { return }
    let next = ECPTWay(word: word(ECPTRegisters.next(table, way)))
    for index in 0..<next.clusters { take(next.slot(index), table, way) }
  }

  private mutating func take(_ slot: PhysicalAddress, _ table: Int, _ way: Int) {
    let words = (0..<UInt64(8)).map { memory.loadRelaxed(slot.advanced(by: $0 << 3)) }
    let number: UInt64
    if table < 3 {
      let count = words[7] >> 52 & 31
      guard count != 0 else { return }
      number = (0..<7).reduce(0) { $0 | (words[$1] >> 52 & 31) << UInt64(5 * $1) }
      let mapped = words.filter { !X86Entry($0).isNone }.count
      if mapped != Int(count) { problems.append("cluster \(number) counts \(count), maps \(mapped)") }
    } else {
      guard ECPTRow.count(in: words[7]) != 0 else { return }
      number = ECPTRow.number(words[0])
    }
    if clusters[table][number] != nil {
      problems.append("cluster \(number) of table \(table) is there twice")
    }
    clusters[table][number] = words
    ways[table][number] = way
  }

  /// Recounts what every header of both walk tables must say, from the clusters alone.
  private mutating func checkHeaders(_ database: ECPTDatabase) {
    var expected: [[UInt64: UInt64]] = [[:], [:]]
    for table in 0..<3 {
      for (number, words) in clusters[table] where words.contains(where: { !X86Entry($0).isNone }) {
        let bit = [ECPTRow.base, ECPTRow.huge, ECPTRow.giant][table]
        let start = number << UInt64(15 + 9 * table)
        if table < 2 { expected[0][start >> 24, default: 0] |= bit }
        expected[1][start >> 33, default: 0] |= bit
        let way = UInt64(ways[table][number] ?? 3) << ECPTRow.wayShift
        if table == 1 { expected[0][start >> 24, default: 0] |= way }
        if table == 2 { expected[1][start >> 33, default: 0] |= way }
      }
    }
    for table in 3..<5 {
      var found: [UInt64: UInt64] = [:]
      for (number, words) in clusters[table] {
        var count: UInt64 = 0
        for index in 0..<UInt64(64) {
          let header = words[Int(index >> 3)] >> ((index & 7) << 3) & 31
          guard header != 0 else { continue }
          count += 1
          found[number << 6 | index] = header
        }
        if ECPTRow.count(in: words[7]) != count { problems.append("row \(number) has \(count) headers") }
      }
      if found != expected[table - 3] {
        let wrong = Set(found.keys).union(expected[table - 3].keys).filter {
          found[$0] != expected[table - 3][$0]
        }
        for key in wrong.sorted().prefix(2) {
          problems.append(
            "table \(table) section \(key): \(found[key] ?? 0), should be \(expected[table - 3][key] ?? 0)")
        }
      }
    }
  }
}
