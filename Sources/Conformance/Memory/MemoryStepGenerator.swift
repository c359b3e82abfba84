// SPDX-License-Identifier: MIT
internal import Reference
internal import SimMemory
internal import VMM

/// Draws random steps: mostly in one stretch of 64 MiB, where they meet each other, in pieces that share edges with pages
/// of 2 MiB or lie across them.
struct MemoryStepGenerator {
  /// First byte of the stretch.
  static let base: UInt64 = 0x20_0000_0000
  /// Its pages.
  static let pages: UInt64 = 16_384
  /// Descriptors of the files that every process has open, and their largest size in pages.
  static let files: ClosedRange<UInt64> = 3...5
  static let filePages: UInt64 = 1024
  /// Stands for the descriptor of the last memfd that a process made itself; only these are sealed.
  static let ownFile: UInt64 = 6
  /// A page apart from the stretch where structures for calls lie.
  static let controlPage: UInt64 = 0x10_0000_0000

  private var random: SplitMix64
  /// Where the last shared mappings and attachments were meant to go.
  private var shared: [UInt64] = [base]
  private var attached: [UInt64] = [base]

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  mutating func next() -> MemoryStep {
    let process = Int(random.below(4))
    switch random.below(1000) {
    case 0..<396: return access(process)
    case 396..<420: return rareStep(process)
    case 420..<434: return transfer(process)
    case 434..<444: return .call(process: process, .pkeyMprotect, range() + [rights(), key()])
    case 444..<448: return .call(process: process, .pkeyAlloc, [0, random.pick([0, 0, 0, 1, 2])])
    case 448..<450: return .call(process: process, .pkeyFree, [1 + random.below(4)])
    case 450..<560: return .call(process: process, .mmap, map())
    case 560..<640: return .call(process: process, .munmap, range())
    case 640..<720: return .call(process: process, .mprotect, range() + [rights()])
    case 720..<790: return .call(process: process, .mremap, remap())
    case 790..<930: return .call(process: process, .madvise, range() + [advice()])
    case 930..<950: return .call(process: process, random.oneIn(3) ? .munlock : .mlock, range())
    case 950..<962: return .call(process: process, .brk, [heap()])
    case 962..<970: return .call(process: process, .msync, range() + [random.pick([1, 2, 4])])
    case 970..<978:
      return .call(process: process, .ftruncate, [descriptor(), random.below(Self.filePages) << 12])
    case 978..<984:
      return .call(process: process, .fallocate, [descriptor(), 3] + pieceOfFile())
    case 984..<994: return .fork(process: process)
    default: return .exit(process: process)
    }
  }

  /// Steps that come less often.
  private mutating func rareStep(_ process: Int) -> MemoryStep {
    switch random.below(100) {
    case 0..<14:
      let vector = random.oneIn(2) ? page() + random.pick([0, 4090]) : Self.controlPage + 64
      return .call(process: process, .mincore, range() + [vector])
    case 14..<28: return .call(process: process, .mlock2, range() + [random.pick([0, 0, 1, 1, 2])])
    case 28: return .call(process: process, .mlockall, [random.pick([1, 1, 2, 3, 4, 5, 6, 7])])
    case 29..<34: return .call(process: process, .munlockall, [])
    case 34: return .call(process: process, .mseal, range() + [0])
    case 35..<47:
      let place = [random.pick(shared) + random.below(4) << 12, (1 + random.below(12)) << 12]
      return .call(process: process, .remapFilePages, place + [0, random.below(48), 0])
    case 47..<53:
      return .call(process: process, .shmget, [segment(), (1 + random.below(700)) << 12, 0o1600])
    case 53..<63:
      let flags: UInt64 = random.pick([0, 0o40000, 0o40000, 0o40000, 0o50000, 0o10000, 0o20000, 0o60000])
      let place = page()
      note(place, in: \.attached)
      note(place, in: \.shared)
      return .call(process: process, .shmat, [segment(), place + random.pick([0, 0, 0, 8]), flags])
    case 63..<69: return .call(process: process, .shmdt, [random.pick(attached)])
    case 69..<71: return .call(process: process, .shmctl, [segment(), 0, 0])
    case 71..<73: return .call(process: process, .memfdCreate, [0, 2])
    case 73..<78:
      return .call(process: process, .fcntl, [Self.ownFile, 1033, random.pick([2, 4, 6, 8, 16, 1, 0])])
    case 78..<81: return .clearSoftDirty(process: process)
    case 81: return .execute(process: process)
    case 82..<86: return .limit(process: process, pages: random.pick([0, 0, 0, 2000, 8000]))
    case 86..<89: return .swap(isOn: random.oneIn(2))
    case 89..<92: return .collapse
    default:
      let place = range()
      return .adviseFirst(
        process: process, advice: random.pick([3, 20, 21, 25, 4]), start: place[0], bytes: place[1])
    }
  }

  private mutating func note(_ place: UInt64, in list: WritableKeyPath<Self, [UInt64]>) {
    self[keyPath: list].append(place)
    if self[keyPath: list].count > 8 { self[keyPath: list].removeFirst() }
  }

  private mutating func segment() -> UInt64 { 1 + random.below(4) }

  private mutating func access(_ process: Int) -> MemoryStep {
    let address = page() + random.pick([0, 1, 7, 2048, 4088, 4095, random.below(4096)])
    if random.oneIn(2) { return .load(process: process, address) }
    return .store(process: process, address, UInt8(truncatingIfNeeded: random.next()))
  }

  /// A few bytes, often across the border of pages.
  private mutating func transfer(_ process: Int) -> MemoryStep {
    .transfer(
      process: process, other: Int(random.below(4)), local: page() + random.pick([0, 9, 4060, 4095]),
      remote: page() + random.pick([0, 100, 4070, 4091]), bytes: 1 + random.below(64),
      isWrite: random.oneIn(2))
  }

  /// Mostly key 0, so that most memory stays in use.
  private mutating func key() -> UInt64 { random.pick([0, 0, 0, 0, 1, 1, 2, 3, .max]) }

  /// The address of a page.
  private mutating func page() -> UInt64 {
    if random.oneIn(16) { return heap() & ~4095 }
    // Half of all pages lie near the start of some 2 MiB.
    let number =
      random.oneIn(2)
      ? random.below(Self.pages) : random.below(Self.pages / 512) * 512 + random.below(16)
    return Self.base + number << 12
  }

  /// Bytes: mostly a few pages, now and then some 2 MiB.
  private mutating func bytes() -> UInt64 {
    switch random.below(64) {
    case 0..<44: (1 + random.below(16)) << 12
    case 44..<56: (1 + random.below(80)) << 12
    case 56..<60: (1 + random.below(2)) << 21
    case 60..<62: (500 + random.below(1100)) << 12
    case 62: random.below(1 << 16)
    default: random.below(3) << 23
    }
  }

  private mutating func range() -> [UInt64] {
    let start = page() & (random.oneIn(3) ? ~0x1F_FFFF : ~0)
    return [random.oneIn(64) ? start + 8 : start, bytes()]
  }

  private mutating func rights() -> UInt64 { random.pick([0, 1, 3, 3, 3, 5, 7]) }

  private mutating func descriptor() -> UInt64 {
    random.oneIn(6) ? Self.ownFile : Self.files.lowerBound + random.below(UInt64(Self.files.count))
  }

  private mutating func pieceOfFile() -> [UInt64] {
    let start = random.below(Self.filePages)
    return [start << 12, (1 + random.below(64)) << 12]
  }

  private mutating func heap() -> UInt64 { 0x5555_5580_0000 + random.below(1024) * 512 }

  private mutating func map() -> [UInt64] {
    let isShared = random.oneIn(4)
    var flags: UInt64 = isShared ? 1 : 2
    let isFile = random.oneIn(3)
    if !isFile { flags |= 0x20 }
    switch random.below(8) {
    case 0: break
    case 1: flags |= 0x10_0000
    default: flags |= 0x10
    }
    if random.oneIn(16) { flags |= 0x8000 }
    let target = range()
    let length = Swift.min(target[1], 16 << 20)
    if isShared { note(target[0], in: \.shared) }
    let offset = isFile ? random.below(Self.filePages / 64) << 18 : 0
    return [target[0], length, rights(), flags, isFile ? descriptor() : .max, offset]
  }

  private mutating func remap() -> [UInt64] {
    let source = range()
    let old = Swift.max(1, Swift.min(source[1], 16 << 20))
    let new = random.oneIn(2) ? old : Swift.max(1, Swift.min(bytes(), 16 << 20))
    let flags: UInt64 = random.pick([0, 1, 1, 3, 3, 5, 7])
    let target = random.oneIn(3) ? page() & ~0x1F_FFFF | source[0] & 0x1F_FFFF : page()
    return [source[0], old, flags & 4 != 0 ? old : new, flags, target]
  }

  private mutating func advice() -> UInt64 {
    random.pick([
      0, 1, 2, 3, 4, 4, 4, 8, 8, 9, 10, 11, 12, 13, 14, 14, 15, 16, 17, 18, 19, 20, 21, 21, 22, 23, 23, 24,
      25, 25,
      102, 103, 103,
    ])
  }
}
