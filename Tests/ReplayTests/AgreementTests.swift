// SPDX-License-Identifier: MIT
import Conformance
import EMTCore
import EntryFormats
import MMU
import Machine
import Radix
import Reference
import SimMemory
import Testing
import VMM
import Workloads

/// The check after every call must be able to fail: what it is shown here is wrong on purpose.
struct AgreementTests {
  typealias Checked = Machine<ShadowedService<RadixDatabase>, RadixWalker>

  @Test func aBitThatFlipsInATableIsFound() throws {
    #expect(
      try firstDisagreement { memory, entry in
        _ = memory.fetchOr(X86Entry.writable, at: entry)
      } != nil)
  }

  @Test func anEntryThatVanishesIsFound() throws {
    #expect(try firstDisagreement { memory, entry in memory.storeRelaxed(0, at: entry) } != nil)
  }

  @Test func anEntryThatPointsElsewhereIsFound() throws {
    #expect(
      try firstDisagreement { memory, entry in
        memory.storeRelaxed(memory.loadRelaxed(entry) ^ 0x1000, at: entry)
      } != nil)
  }

  @Test func withoutDamageAllAgree() throws {
    #expect(try firstDisagreement { _, _ in } == nil)
  }

  /// Replays a real program and damages the entry of the lowest read-only page after the tenth system call.
  private func firstDisagreement(
    damage: @escaping (PhysicalMemory, PhysicalAddress) -> Void
  ) throws -> String? {
    let machine = try Checked()
    var agreement = Agreement<RadixDatabase, RadixWalker>()
    var input = try TraceInput.open(paths: [Fixtures.path("mremap02")])
    var replay = Replay(on: machine)
    var calls = 0
    var found: String?
    replay.check = { machine in
      calls += 1
      if calls == 10 {
        let memory = machine.platform.memory.memory
        if let entry = readOnlyEntry(machine) { damage(memory, entry) }
      }
      if calls >= 10, found == nil { found = agreement.check(machine) }
      return nil
    }
    do { try input.run(into: &replay) } catch { if found == nil { throw error } }
    return found
  }
}

/// Where the first leaf entry without the right to store is.
private func readOnlyEntry(_ machine: AgreementTests.Checked) -> PhysicalAddress? {
  let root = machine.kernel.service.registers[0]
  guard let space = machine.kernel.spaces.first else { return nil }
  for area in space.layout.areas.areas {
    var steps = WalkSteps()
    let walk = machine.units[0].mmu.walker.probe(
      root, area.range.start, .load, isUser: true, recorder: &steps)
    guard let translation = walk.translation, !translation.isWritable, let leaf = steps.steps.last else {
      continue
    }
    return leaf.address
  }
  return nil
}
