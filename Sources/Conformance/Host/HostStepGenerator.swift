// SPDX-License-Identifier: MIT
internal import Reference
internal import VMM

/// Draws random programs. Addresses are dense, so that mappings meet; arguments are wrong now and then.
struct HostStepGenerator {
  var random: SplitMix64
  let features: HostFeatures
  private var living: [UInt32] = [0]
  private var children: [UInt32: [UInt32]] = [:]
  private var forks: UInt32 = 0
  private var files: UInt64 = 0
  var process: UInt32 = 0

  init(seed: UInt64, _ features: HostFeatures) {
    random = SplitMix64(seed: seed)
    self.features = features
  }

  /// A whole program.
  static func program(seed: UInt64, steps: Int, _ features: HostFeatures) -> [HostStep] {
    var generator = HostStepGenerator(seed: seed, features)
    var list: [HostStep] = []
    // Most programs begin with memory and a file, so that later steps find something.
    if !generator.random.oneIn(8) {
      list.append(generator.makeFile())
      list.append(HostStep(0, .call(.ftruncate, [3, generator.length() &* 2])))
      list.append(HostStep(0, generator.map()))
    }
    while list.count < steps { list.append(generator.step()) }
    for process in generator.living { list.append(HostStep(process, .look)) }
    return HostProgram.valid(list)
  }

  private mutating func step() -> HostStep {
    if random.oneIn(6) { process = random.pick(living) }
    switch random.below(100) {
    case 0..<4: return fork()
    case 4..<6: return exit()
    case 6..<8 where files < 3: return makeFile()
    case 8..<22: return HostStep(process, .store(byte(), UInt8(1 + random.below(255))))
    case 22..<34: return HostStep(process, .load(byte()))
    case 34..<48: return HostStep(process, map())
    case 48..<53: return HostStep(process, .call(.munmap, range()))
    case 53..<62: return HostStep(process, protect())
    case 62..<71: return HostStep(process, remap())
    case 71..<82: return HostStep(process, advise())
    case 82..<90: return HostStep(process, fileAction())
    default: return HostStep(process, otherCall())
    }
  }

  private mutating func fork() -> HostStep {
    guard forks < 5, living.count < 4 else { return HostStep(process, .look) }
    forks += 1
    living.append(forks)
    children[process, default: []].append(forks)
    return HostStep(process, .fork(forks))
  }

  private mutating func exit() -> HostStep {
    let ended = process
    let hasChildren = children[ended]?.contains { living.contains($0) } ?? false
    guard ended != 0, !hasChildren else { return HostStep(process, .look) }
    living.removeAll { $0 == ended }
    process = random.pick(living)
    return HostStep(ended, .exit)
  }

  private mutating func makeFile() -> HostStep {
    files += 1
    return HostStep(process, .call(.memfdCreate, [0, random.pick([2, 2, 3, 0, 2, 32])]))
  }

  // MARK: Arguments

  /// A page of the zone, near its start more often.
  mutating func page() -> UInt64 {
    let number = random.below(random.oneIn(4) ? 48 : 20)
    return HostWindow.start + number << 12
  }

  /// Any byte of the zone; the ends of pages more often.
  mutating func byte() -> UInt64 { page() + random.pick([0, 0, 1, 4095, 2048]) }

  /// An address that is a page's, but for mistakes.
  mutating func address() -> UInt64 {
    guard random.oneIn(40) else { return page() }
    return random.pick([page() + 1, page() + 2048, 0xFFFF_8000_0000_0000, 0x8000_0000_0000_0000])
  }

  /// Some pages, but for mistakes. Never a range that reaches out of the window: there lives who carries this out.
  mutating func length() -> UInt64 {
    let pages = 1 + random.below(random.oneIn(3) ? 12 : 4)
    guard random.oneIn(20) else { return pages << 12 }
    return random.pick([0, 1, pages << 12 - 1, pages << 12 + 100, .max, .max - 4095])
  }

  mutating func range() -> [UInt64] { [address(), length()] }

  mutating func file() -> UInt64 {
    random.oneIn(30) ? random.pick([.max, 99]) : 3 + random.below(max(files, 1))
  }

  mutating func offset() -> UInt64 {
    guard random.oneIn(25) else { return random.below(8) << 12 }
    return random.pick([1, 2048, 0x7FFF_FFFF_FFFF_F000, 0xFFFF_FFFF_FFFF_F000, 1 << 40])
  }

  mutating func protection() -> UInt64 { random.pick([3, 3, 3, 1, 0, 2, 5, 7, 4]) }
}
