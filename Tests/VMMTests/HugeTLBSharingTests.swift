// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import VMM

/// Pooled pages that several mappings or processes share.
struct HugeTLBSharingTests {
  @Test(
    "hugemmap28: a second mapping without a promise does not use up the first one's",
    arguments: PoolDriver.allCases)
  func promisesOfSharedPages(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let start = computer.pool
    for touchesUnpromisedFirst in [true, false] {
      let file = try computer.hugeFile()
      let (promised, unpromised): (UInt64, UInt64)
      if touchesUnpromisedFirst {
        unpromised = try computer.mapFile(file, pages: 1, flags: Flag.shared | Flag.noReserve)
        #expect(computer.store(5, page: 0, of: unpromised) == .byte(5))
        #expect(computer.pool == [8, 7, 0, 0])
        promised = try computer.mapFile(file, pages: 1)
      } else {
        promised = try computer.mapFile(file, pages: 1)
        #expect(computer.pool == [8, 8, 1, 0])
        unpromised = try computer.mapFile(file, pages: 1, flags: Flag.shared | Flag.noReserve)
        #expect(computer.store(5, page: 0, of: unpromised) == .byte(5))
      }
      #expect(computer.pool == [8, 7, 0, 0], "the page exists: nothing is promised any more")
      #expect(computer.load(page: 0, of: promised) == .byte(5))
      try computer.call(.munmap, [unpromised, huge])
      #expect(computer.pool == [8, 7, 0, 0])
      try computer.call(.fallocate, [file, 3, 0, huge])
      #expect(computer.load(page: 0, of: promised) == .byte(0))
      try computer.call(.munmap, [promised, huge])
      computer.close(file)
      #expect(computer.pool == start)
      computer.expectSound()
    }
    computer.finish()
  }

  @Test(
    "hugefork02: processes that attach one segment read back what each wrote", arguments: PoolDriver.allCases)
  func manyProcesses(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let segment = try computer.call(.shmget, [9, 3 * huge, 0o5600])
    for child in 2...6 as ClosedRange<UInt32> { try computer.fork(child, of: 1) }
    for round in 0..<UInt8(5) {
      var places: [UInt32: UInt64] = [:]
      for child in 2...6 as ClosedRange<UInt32> {
        places[child] = try computer.call(.shmat, [segment, 0, 0], pid: child)
      }
      for (child, start) in places.sorted(by: { $0.key < $1.key }) {
        for number in 0..<UInt64(3) {
          let place = number * huge + UInt64(child) * 8192
          let value = UInt8(child) * 16 + round + UInt8(number)
          #expect(computer.store(start + place, value, pid: child) == .byte(value))
        }
      }
      for (_, reader) in places {
        for child in 2...6 as ClosedRange<UInt32> {
          for number in 0..<UInt64(3) {
            let value = UInt8(child) * 16 + round + UInt8(number)
            let pid = places.first { $0.value == reader }?.key ?? 2
            #expect(computer.load(reader + number * huge + UInt64(child) * 8192, pid: pid) == .byte(value))
          }
        }
      }
      for (child, start) in places { try _ = computer.call(.shmdt, [start], pid: child) }
      #expect(computer.pool == [8, 5, 0, 0], "the segment keeps its pages")
    }
    for child in 2...6 as ClosedRange<UInt32> { computer.exit(child) }
    try computer.call(.shmctl, [segment, 0, 0])
    #expect(computer.pool == [8, 8, 0, 0])
    computer.expectSound()
    computer.finish()
  }
}
