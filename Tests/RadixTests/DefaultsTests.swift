// SPDX-License-Identifier: MIT
import EMTCore
import EntryFormats
import Radix
import RadixSupport
import SimMemory
import Testing
import X86Object

@Suite struct DefaultsTests {
  @Test(arguments: 0..<5 as Range<UInt64>)
  func customizedFunctionsDoWhatTheDefaultsDo(seed: UInt64) throws {
    let machine = try TestMachine(RadixFormat.self)
    let fast = machine.user
    let plain = BasicOnly(try machine.another())
    var generator = SeededGenerator(state: seed)
    for step in 0..<150 {
      let operation = RandomOperation(&generator)
      let a = try operation.run(on: fast, makeTarget: { try machine.another(3) }, endTarget: machine.destroy)
      let b = try operation.run(
        on: plain, makeTarget: { BasicOnly(try machine.another(4)) },
        endTarget: { try machine.destroy($0.base) })
      try #require(a == b, "seed \(seed), step \(step), operation \(operation)")
      let (left, right) = (TreeAudit(fast).leaves, TreeAudit(plain.base).leaves)
      try #require(left == right, "seed \(seed), step \(step), operation \(operation)")
    }
    try machine.destroy(plain.base)
    try machine.finish()
  }

  @Test(arguments: 0..<3 as Range<UInt64>)
  func runningOutOfMemoryAnywhereLeavesNothingHalfDone(seed: UInt64) throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    var generator = SeededGenerator(state: 100 + seed)
    var failures = 0
    for _ in 0..<100 {
      let operation = RandomOperation(&generator)
      if operation.kind == 8 { continue }
      machine.frames.injectFailure(after: Int(operation.page.frame.raw >> 9) % 3)
      let before = TreeAudit(database).leaves
      let free = machine.frames.freeFrames
      let bytes = database.footprint
      let result = try operation.run(
        on: database, makeTarget: { try machine.another(3) }, endTarget: machine.destroy)
      machine.frames.stopInjectingFailures()
      let after = TreeAudit(database).leaves
      #expect(machine.frames.freeFrames &+ database.footprint.total >> 12 == free &+ bytes.total >> 12)
      guard result.contains("outOfMemory") else { continue }
      failures += 1
      if result.contains("firstNotDone") { continue }
      #expect(before == after, "operation \(operation)")
      #expect(machine.frames.freeFrames == free && database.footprint == bytes)
    }
    #expect(failures > 0)
    try machine.finish()
  }
}
