// SPDX-License-Identifier: MIT
import EMTCore
import Machine
import SimMemory
import Testing
import VMM

/// Random threads, calls and switches on three CPUs, beside a model that knows bytes and rights of each process.
struct RandomCPUsTests {
  private struct Model {
    var pages: [UInt64: UInt8] = [:]
    var readOnly: Set<UInt64> = []
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func bytesAndRightsAreTheModels(seed: UInt64) {
    onEveryDriver(cpus: 3, bytes: 32 << 20, { $0.swapPages = 4096 }) { machine, name in
      try run(seed, machine, "\(name), seed \(seed)")
    }
  }

  private func run(_ seed: UInt64, _ machine: any AnyMachine, _ note: String) throws {
    var state = seed &* 0x9E37_79B9_7F4A_7C15
    func random(_ below: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % below
    }
    let (base, count): (UInt64, UInt64) = (0x20_0000_0000, 48)
    var models: [UInt32: Model] = [1: Model()]
    var running: [UInt32?] = [nil, nil, nil]
    var next: UInt32 = 2
    try machine.start(1)
    for _ in 0..<700 {
      let cpu = Int(random(3))
      guard let pid = running[cpu], var model = models[pid] else {
        let pid = models.keys.sorted()[Int(random(UInt64(models.count)))]
        try machine.run(pid, on: cpu)
        running[cpu] = pid
        continue
      }
      let (first, length) = (random(count), 1 + random(6))
      let end = min(first + length, count)
      switch random(20) {
      case 0..<6:
        let allowed = model.pages[first] != nil && !model.readOnly.contains(first)
        #expect(machine.store(base + first * page, UInt8(first), on: cpu) == allowed, "\(note)")
        if allowed { model.pages[first] = UInt8(first) }
      case 6..<11:
        #expect(machine.load(base + first * page, on: cpu) == model.pages[first], "\(note)")
      case 11, 12:
        try machine.mapUser(end - first, at: base + first * page, on: cpu)
        for number in first..<end {
          model.pages[number] = 0
          model.readOnly.remove(number)
        }
      case 13:
        try machine.call(.munmap, [base + first * page, (end - first) * page], on: cpu)
        for number in first..<end { model.pages[number] = nil }
      case 14, 15:
        let isWritable = random(2) == 0
        guard (first..<end).allSatisfy({ model.pages[$0] != nil }) else { break }
        try machine.call(.mprotect, [base + first * page, (end - first) * page, isWritable ? 3 : 1], on: cpu)
        for number in first..<end {
          if isWritable { model.readOnly.remove(number) } else { model.readOnly.insert(number) }
        }
      case 16:
        guard models.count < 5 else { break }
        try machine.fork(next, of: pid)
        models[next] = model
        next += 1
      case 17:
        machine.idle(cpu)
        running[cpu] = nil
      case 18:
        guard models.count > 1, random(2) == 0 else { break }
        machine.exit(pid)
        models[pid] = nil
        for other in 0..<3 where running[other] == pid { running[other] = nil }
        continue
      default:
        if random(4) == 0 { _ = machine.evictEverything() }
      }
      models[pid] = model
      if random(16) == 0 { machine.expectSound(note) }
    }
    machine.expectSound(note)
    #expect(machine.work[.shootdown] > 10, "\(note)")
  }
}
