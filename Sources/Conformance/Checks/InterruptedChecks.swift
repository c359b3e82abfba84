// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference
internal import SimMemory

extension ContractSuite {
  static func interruptedChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "AR-16", "AR-16 hardware meanwhile",
        "The defaults of changes to ranges keep a bit that hardware sets between a look at a page and its change."
      ) { bench in
        let pages = VirtualRange(bench.page(0), bench.page(4))
        for change in ["setProtection", "copy", "move"] {
          let database = Interrupted(try bench.makeDatabase())
          let target = Interrupted(try bench.makeDatabase())
          for number in 0..<4 as Range<UInt64> {
            try bench.insert(database.base, bench.object(bench.page(number)))
          }
          var place = pages.start
          let failure: RangeFailure? = outcome(database) { () throws(RangeFailure) in
            switch change {
            case "setProtection":
              return try database.setProtection(
                in: pages, to: Protection(readable: true, writable: false, executable: false))
            case "copy":
              return try database.copy(
                pages, into: target, decide: { _ in .shareProtected }, copied: { _ in })
            default:
              place = bench.page(600)
              return try database.move(pages, to: place)
            }
          }
          if let failure { bench.fail("\(change) succeeds", "\(failure)") }
          for number in 0..<4 as Range<UInt64> {
            let object = database.find(place.advanced(by: number << 12))
            bench.expect(
              object.isPresent && object.isDirty && object.isAccessed,
              "the dirty bit that hardware set during \(change) is there afterwards", object.summary)
          }
        }
      }
    ]
  }

  private static func outcome<Database: TranslationDatabase>(
    _ database: Database, _ body: () throws(RangeFailure) -> FlushObligation
  ) -> RangeFailure? {
    do throws(RangeFailure) {
      database.settle(try body())
      return nil
    } catch { return error }
  }
}
