// SPDX-License-Identifier: MIT
internal import Reference
internal import SimMemory

/// Draws steps from a small set of addresses, at edges of every page size, so that operations meet all the time.
struct StepGenerator {
  private var random: SplitMix64
  private let shifts: [UInt8]

  /// 4 GiB; three spans of 1 GiB follow each other.
  static var origin: UInt64 { 1 << 32 }
  /// Everything that steps touch, moved ranges included, lies below this.
  static var limit: UInt64 { 1 << 36 }

  init(seed: UInt64, shifts: [UInt8]) {
    random = SplitMix64(seed: seed)
    self.shifts = shifts
  }

  mutating func next() -> DifferentialStep {
    var step = DifferentialStep(kind(), 0)
    step.shift = step.kind == .swapOut ? 12 : shift()
    step.address = address() & ~(step.size.mask)
    step.bits = random.next() >> 40
    if random.oneIn(6) { step.failAfter = Int(random.below(4)) }
    switch step.kind {
    case .insertRun: step.pages = random.pick([1, 2, 8, 9, 20, 515])
    case .measure, .removeAll, .protect, .copy, .move, .walk:
      step.address = address()
      step.pages = random.oneIn(150) ? 1 << 18 : random.pick([1, 2, 7, 8, 16, 510, 512, 513, 1024, 2048])
    case .split, .prepareAndSplit, .collapse:
      if shifts.count > 1 { step.shift = shifts[1 + Int(random.below(UInt64(shifts.count - 1)))] }
      step.address = address() & ~(step.size.mask)
    case .edit, .accessed, .dirty, .touch, .makeWritable, .find: step.address = address() | random.below(4096)
    default: break
    }
    if step.kind == .insertRun, step.shift >= 30 { step.pages = 1 + step.pages % 2 }
    return step
  }

  private mutating func kind() -> DifferentialStep.Kind {
    random.oneIn(3) ? .update : random.pick(DifferentialStep.Kind.allCases)
  }

  private mutating func shift() -> UInt8 {
    random.below(8) < 5 ? 12 : shifts[Int(random.below(UInt64(shifts.count)))]
  }

  private mutating func address() -> UInt64 {
    let gigabyte = random.below(3) << 30
    let block = random.pick([0, 1, 2, 511]) << 21 as UInt64
    let page = random.pick([0, 1, 2, 7, 8, 255, 511]) << 12 as UInt64
    return StepGenerator.origin + gigabyte + block + page
  }
}
