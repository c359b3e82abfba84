// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let munmap = ScenarioGroup("munmap", [
    ScenarioCase("munmap01", "Unmapped pages are gone, also in a child, and the others stay.") { p in
      let at = try p.map(3)
      p.fill(at, pages: 3)
      try p.unmap(at + page, pages: 2)
      p.expectLayout(at, [.area(1), .hole(2)])
      try p.inChild { child in
        child.expectSignal(.unmapped, .store, at + page)
        child.expectFilled(at, pages: 1)
      }
    },
  ])
}
