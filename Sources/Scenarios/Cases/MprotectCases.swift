// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let mprotect = ScenarioGroup("mprotect", [
    ScenarioCase("mprotect03", "Without the right to store, a store is refused, in a child too.") { p in
      let file = try p.file(size: page)
      let at = try p.map(1, .shared, file: file)
      p.store(at, 1)
      try p.protect(at, .read)
      try p.inChild { $0.expectSignal(.forbidden, .store, at) }
      p.expectSignal(.forbidden, .store, at)
      p.expectLoad(at, 1)
    },
  ])
}
