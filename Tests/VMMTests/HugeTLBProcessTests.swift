// SPDX-License-Identifier: MIT
import SimMemory
import Testing
import VMM

/// Random programs of several processes on shared, private and file mappings of pooled huge pages: every driver answers
/// alike, nobody reads what is not his, and everything is counted right.
struct HugeTLBProcessTests {
  private struct Place: Hashable {
    var pid: UInt32
    var mapping: Int
    var page: UInt64
  }

  @Test(arguments: [UInt64(1), 2, 3, 4]) func randomProgramsRunAlike(_ seed: UInt64) throws {
    let computers = try PoolDriver.allCases.map { try $0.computer(pages: 6 + seed) }
    var random = Random(state: seed)
    // Mapping 0 is private, 1 shared, 2 a file's, shared, 3 the same file's, private.
    var starts: [UInt64] = []
    for computer in computers {
      try computer.setOvercommit(seed % 3)
      let file = try computer.hugeFile()
      starts = [
        try computer.mapHuge(3), try computer.mapHuge(2, flags: Flag.shared),
        try computer.mapFile(file, pages: 3),
        try computer.mapFile(file, pages: 3, flags: Flag.private | Flag.noReserve),
      ]
    }
    var bytes: [Place: UInt8] = [:]
    var pids: [UInt32] = [1]
    for step in 0..<200 {
      let note = "seed \(seed), step \(step)"
      let pid = pids[Int(random.next(UInt64(pids.count)))]
      let mapping = Int(random.next(4))
      let page = random.next(mapping == 1 ? 2 : 3)
      let address = starts[mapping] + page * huge
      let isShared = mapping == 1 || mapping == 2
      let place = Place(pid: isShared ? 0 : pid, mapping: mapping, page: page)
      switch random.next(12) {
      case 0 where pids.count < 4:
        let child = UInt32(step) + 2
        for computer in computers { try computer.fork(child, of: pid) }
        for (place, byte) in bytes where place.pid == pid {
          bytes[Place(pid: child, mapping: place.mapping, page: place.page)] = byte
        }
        pids.append(child)
      case 1 where pid != 1:
        for computer in computers { computer.exit(pid) }
        pids.removeAll { $0 == pid }
        bytes = bytes.filter { $0.key.pid != pid }
      case 2:
        for computer in computers { _ = try computer.call(.madvise, [address, huge, 4], pid: pid) }
        if !isShared { bytes[place] = nil }
      case 3 where random.next(4) == 0:
        for computer in computers { _ = try computer.call(.fallocate, [3, 3, page * huge, huge]) }
        // The hole takes copies as well.
        bytes = bytes.filter { $0.key.mapping < 2 || $0.key.page != page }
      case 4, 5, 6, 7:
        let value = UInt8(random.next(255)) + 1
        let outcomes = computers.map { $0.store(value, page: page, of: starts[mapping], pid: pid) }
        #expect(outcomes.allSatisfy { $0 == outcomes[0] }, "\(note): \(outcomes)")
        if outcomes[0] == .byte(value) {
          bytes[place] = value
        } else {
          #expect(outcomes[0] == .refused(.noHugePage))
        }
      default:
        let outcomes = computers.map { $0.load(page: page, of: starts[mapping], pid: pid) }
        #expect(outcomes.allSatisfy { $0 == outcomes[0] }, "\(note): \(outcomes)")
        if case .byte(let byte) = outcomes[0] {
          let file = Place(pid: 0, mapping: 2, page: page)
          let expected = bytes[place] ?? (mapping == 3 ? bytes[file] : nil) ?? 0
          #expect(byte == expected, "\(note), mapping \(mapping)")
          // A copy of a page that the file did not have stays what it was when the file gets one.
          if isShared || mapping == 3 && bytes[file] == nil { bytes[place] = byte }
        }
      }
      #expect(computers.allSatisfy { $0.pool == computers[0].pool }, "\(note)")
      for computer in computers { computer.expectSound(note) }
    }
    for computer in computers { computer.finish() }
  }
}
