// SPDX-License-Identifier: MIT
import ClusterTable
import ClusterTableSupport
import EMTCore
import EntryFormats
import Hashed
import MMU
import SimMemory
import Testing

#if DEBUG
  @Suite struct SteppingTests {
    @Test func everyMappedPageIsFoundAtEveryStoreWhileTablesGrowAndShrink() throws {
      let rig = try Rig()
      let stepper = Stepper(rig)
      let pages = (0..<UInt64(240)).map { $0 * 8 &+ ($0 * 5) % 8 }
      try stepper.watch {
        for page in pages { try stepper.insert(page, page + 1000) }
        for page in pages.dropLast(3) {
          try stepper.removeAll(VirtualRange(page: VirtualAddress(page << 12), .base))
        }
      }
      #expect(stepper.wrong == [])
      #expect(stepper.steps > 10_000)
      #expect(rig.machine.work[.clusterMove] > 400)
      #expect(rig.database.footprint.ways <= 8192)
      try rig.end()
    }

    @Test func gapsCloseWithoutLosingCollidingPages() throws {
      let rig = try Rig()
      let stepper = Stepper(rig)
      // All at home in the last two of 32 slots, so that searches run around the end of the array.
      let numbers = (1..<UInt64(10_000)).filter { HashedFormat.hash($0) & 31 >= 30 }.prefix(14)
      var random = Random(7)
      try stepper.watch {
        for number in numbers { try stepper.insert(number * 8 + 3, number) }
        for number in numbers.shuffled(using: &random) { try stepper.remove(number * 8 + 3) }
      }
      #expect(stepper.wrong == [])
      #expect(rig.machine.work[.clusterMove] > 10)
      #expect(rig.database.footprint.ways == 4096)
      try rig.end()
    }

    @Test func aBitThatTheHardwareSetsAtAnyMomentOfAMoveIsKept() throws {
      for moment in 0..<60 {
        let rig = try Rig()
        let numbers = Array((1..<UInt64(10_000)).filter { HashedFormat.hash($0) & 31 == 5 }.prefix(3))
        for number in numbers { try rig.insert(Rig.page(number * 8 + number % 8, number)) }
        let page = numbers[1] * 8 + numbers[1] % 8
        let isSet = try rig.storing(to: [page], at: moment) {
          try rig.remove(Rig.page(numbers[0] * 8 + numbers[0] % 8, 0))
        }
        #expect(isSet || moment > 30)
        #expect(rig.database.find(VirtualAddress(page << 12)).isDirty == isSet, "store \(moment)")
        try rig.end()
      }
    }

    @Test func aBitThatTheHardwareSetsWhileATableGrowsIsKept() throws {
      for moment in stride(from: 0, to: 400, by: 3) {
        let rig = try Rig()
        for page in 0..<UInt64(20) { try rig.insert(Rig.page(page * 8, page)) }
        let isSet = try rig.storing(to: (0..<20).map { $0 * 8 }, at: moment) {
          for page in 20..<UInt64(24) { try rig.insert(Rig.page(page * 8, page)) }
        }
        #expect(rig.machine.work[.clusterMove] > 10)
        #expect(isSet)
        let clean = (0..<UInt64(20)).filter { !rig.database.find(VirtualAddress($0 << 15)).isDirty }
        #expect(clean == [], "store \(moment)")
        try rig.end()
      }
    }
  }
#endif
