// SPDX-License-Identifier: MIT
internal import Reference
internal import SimMemory

/// Draws steps. Addresses come from few places, so that operations meet all the time: a dense one with edges of every
/// page size, sparse ones all over the user half, and the ends of the user half.
@usableFromInline struct StepGenerator {
  private var random: SplitMix64
  private let shifts: [UInt8]
  /// Whether large ranges are rare, because the driver looks at them page by page.
  private let spares: Bool
  /// The end of the user half.
  private let top: UInt64
  /// Where the sparse places are.
  private var sparse: [UInt64] = []

  @usableFromInline init(seed: UInt64, shifts: [UInt8], addressBits: Int, spares: Bool) {
    random = SplitMix64(seed: seed)
    self.shifts = shifts
    self.spares = spares
    top = 1 << UInt64(addressBits - 1)
    for _ in 0..<8 { sparse.append(random.below(top >> 30) << 30) }
    // Neighbours in the upper levels of any table, but not in the lower ones.
    sparse += [(1 << 39) - (1 << 30), 1 << 39, 3 << 39]
  }

  @usableFromInline mutating func next() -> DifferentialStep {
    var step = DifferentialStep(kind(), 0)
    step.bits = random.next() >> 40
    step.space = space(of: step.kind)
    step.shift = shift(for: step.kind)
    if spares, step.shift > 21, !random.oneIn(40) { step.shift = 21 }
    place(&step)
    if random.oneIn(5) {
      step.failAfter = Int(random.below(random.oneIn(4) ? 40 : 4))
      step.failsOnce = random.oneIn(3)
    }
    return step
  }

  private mutating func kind() -> DifferentialKind {
    let number = random.below(1000)
    switch number {
    case 0..<280: return .update
    case 280..<380: return .access
    case 380..<383: return .recreate
    case 383..<386: return .fork
    case 386..<388: return .purge
    case 388..<400: return .switchSpace
    case 400..<415: return random.pick([.split, .prepareAndSplit, .collapse])
    default: return StepGenerator.ordinary[Int(random.below(UInt64(StepGenerator.ordinary.count)))]
    }
  }

  private static let ordinary = DifferentialKind.allCases.filter {
    ![.update, .access, .recreate, .fork, .purge, .switchSpace, .split, .prepareAndSplit, .collapse].contains(
      $0)
  }

  private mutating func space(of kind: DifferentialKind) -> UInt8 {
    if [.recreate, .fork, .switchSpace].contains(kind) { return UInt8(random.below(4)) }
    if random.oneIn(12) { return 4 }
    return random.oneIn(2) ? 0 : UInt8(random.below(4))
  }

  private mutating func shift(for kind: DifferentialKind) -> UInt8 {
    if [.update, .insertRun, .eligible].contains(kind), random.oneIn(200) {
      return random.pick([13, 16, 20, 22, 30, 39])
    }
    switch kind {
    case .swapOut: return 12
    case .split, .prepareAndSplit, .collapse:
      guard shifts.count > 1 else { return 12 }
      return shifts[1 + Int(random.below(UInt64(shifts.count - 1)))]
    default: return random.below(8) < 5 ? 12 : shifts[Int(random.below(UInt64(shifts.count)))]
    }
  }

  private mutating func place(_ step: inout DifferentialStep) {
    let address = address(isKernel: step.isKernel)
    switch step.kind {
    case .measure, .removeAll, .protect, .copy, .move, .walk, .locked, .flush:
      step.address = address
      step.pages = rangePages()
    case .edit, .accessed, .dirty, .touch, .makeWritable, .find, .access:
      step.address = address | random.below(4096)
    case .insertRun:
      step.address = address & ~step.size.mask
      step.pages = step.shift >= 30 ? 1 + random.below(2) : random.oneIn(50) ? 515 : 1 + random.below(20)
    default: step.address = address & ~step.size.mask
    }
    if !step.isKernel, random.oneIn(300), [.find, .update, .remove, .edit, .access].contains(step.kind) {
      step.address |= random.pick([1 << 56, 1 << 62, 0xFF << 55])
    }
    limit(&step)
  }

  /// Keeps ranges inside the user half.
  private func limit(_ step: inout DifferentialStep) {
    let unit = step.kind == .insertRun ? UInt64(step.shift) : 12
    guard step.address < top else { return }
    step.pages = min(step.pages, max(1, (top - (step.address & ~4095)) >> unit))
  }

  private mutating func rangePages() -> UInt64 {
    if !spares, random.oneIn(400) { return 1 << 18 }
    if random.oneIn(20) { return random.pick([510, 512, 513, 1024, 2048]) }
    return random.pick([1, 2, 7, 8, 9, 16, 40])
  }

  private mutating func address(isKernel: Bool) -> UInt64 {
    let block = random.pick([0, 1, 2, 511]) << 21 as UInt64
    let page = random.pick([0, 1, 2, 7, 8, 255, 511]) << 12 as UInt64
    switch random.below(20) {
    case 0..<3:
      let place = sparse[Int(random.below(UInt64(sparse.count)))]
      // The kernel's half is reached with 48 bits in every scheme, and its last GiB is left alone.
      return (isKernel ? place & 0x3FFF_C000_0000 : place) + block + page
    case 3: return page
    case 4 where !isKernel: return top - (1 << 30) + block + page
    case 5: return (4 << 30) + random.below(8) << 21 + random.below(512) << 12
    default: return (4 << 30) + random.below(3) << 30 + block + page
    }
  }
}
