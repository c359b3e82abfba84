// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

/// All swap areas, and the swap cache: pages that are in memory although a slot leads to them.
public struct SwapSpace {
  /// Areas by number; nil where there is none.
  public private(set) var areas: ContiguousArray<SwapArea?> = []
  /// Numbers of areas, those to be filled first first.
  private var order: [Int] = []
  /// The packed entry of each frame that is in the swap cache, plus nothing for the others.
  private var entries = SlotIndex()

  /// The most areas there can be: what an entry can name, less the number that markers use.
  public static var maximumAreas: Int { 30 }

  /// No areas.
  public init() {}

  /// Slots in all areas.
  public var slots: UInt64 { areas.reduce(0) { $0 + ($1?.slots ?? 0) } }
  /// Slots in use in all areas.
  public var used: UInt64 { areas.reduce(0) { $0 + ($1?.used ?? 0) } }
  /// Frames in the swap cache.
  public var cached: Int { entries.count }
  /// Slots that can still be taken.
  var free: UInt64 { areas.reduce(0) { $0 + ($1.map { $0.isOpen ? $0.slots - $0.used : 0 } ?? 0) } }
  /// Slots that can be taken from pages in memory.
  var spare: UInt64 { areas.reduce(0) { $0 + ($1?.spare ?? 0) } }
  /// Whether more than half is used: slots of pages that are in memory are worth giving up then, as in Linux.
  var isScarce: Bool { used * 2 > slots }

  /// Adds an area.
  /// - Returns: its number, nil when there are too many.
  mutating func add(_ area: SwapArea) -> Int? {
    let number = areas.firstIndex { $0 == nil } ?? areas.count
    guard number < SwapSpace.maximumAreas else { return nil }
    if number == areas.count { areas.append(area) } else { areas[number] = area }
    sort()
    return number
  }

  /// Takes an area out, which nobody uses.
  mutating func remove(_ number: Int) {
    areas[number] = nil
    sort()
  }

  mutating func setOpen(_ number: Int, _ isOpen: Bool) { areas[number]?.isOpen = isOpen }

  private mutating func sort() {
    order = areas.indices.filter { areas[$0] != nil }
    order.sort { (areas[$0]?.priority ?? 0, $1) > (areas[$1]?.priority ?? 0, $0) }
  }

  /// A free slot in the area of the highest priority that has one; areas of the same priority take turns.
  mutating func take() -> SwapEntry? {
    for (position, number) in order.enumerated() where areas[number]?.isOpen == true {
      guard let slot = areas[number]?.take() else { continue }
      let priority = areas[number]?.priority
      var next = position
      while next + 1 < order.count, areas[order[next + 1]]?.priority == priority {
        order.swapAt(next, next + 1)
        next += 1
      }
      return SwapEntry(area: UInt8(truncatingIfNeeded: number), offset: slot)
    }
    return nil
  }

  /// One more translation or file needs `entry`.
  mutating func addUser(_ entry: SwapEntry) { areas[Int(entry.area)]?.addUser(entry.offset) }

  /// One less needs `entry`; a slot that nobody needs and no frame holds is free then.
  /// - Returns: how many are left.
  mutating func dropUser(_ entry: SwapEntry) -> UInt32 {
    guard let left = areas[Int(entry.area)]?.dropUser(entry.offset) else {
      preconditionFailure("a translation names a swap area that does not exist")
    }
    if left == 0 { areas[Int(entry.area)]?.freeIfUnused(entry.offset) }
    return left
  }

  /// How many need `entry`.
  func users(_ entry: SwapEntry) -> UInt32 { areas[Int(entry.area)]?.users[Int(entry.offset)] ?? 0 }

  /// The frame that holds the page of `entry`.
  func frame(_ entry: SwapEntry) -> FrameNumber? {
    guard let frame = areas[Int(entry.area)]?.frames[Int(entry.offset)], frame != 0 else { return nil }
    return FrameNumber(UInt64(frame))
  }

  /// The entry that leads to `frame`.
  func entry(_ frame: FrameNumber) -> SwapEntry? { SwapEntry(packed: entries[frame.raw]) }

  /// Notes that `frame` holds the page of `entry`.
  mutating func cache(_ entry: SwapEntry, _ frame: FrameNumber) {
    areas[Int(entry.area)]?.setFrame(frame, of: entry.offset)
    entries[frame.raw] = entry.packed
  }

  /// The page in `frame`, which is in the cache, is in `target` now.
  mutating func move(_ frame: FrameNumber, to target: FrameNumber) {
    guard let entry = entry(frame) else { return }
    entries[frame.raw] = 0
    cache(entry, target)
  }

  /// Forgets which entry leads to `frame`; its slot is free then unless somebody needs it.
  @usableFromInline mutating func uncache(_ frame: FrameNumber) {
    guard let entry = entry(frame) else { return }
    entries[frame.raw] = 0
    areas[Int(entry.area)]?.setFrame(FrameNumber(0), of: entry.offset)
    areas[Int(entry.area)]?.freeIfUnused(entry.offset)
  }

  /// Whether `frame` is in the cache, and nobody needs its slot.
  @usableFromInline func isOnlyCached(_ frame: FrameNumber) -> Bool {
    entry(frame).map { users($0) == 0 } ?? false
  }

  /// The frames whose slots nobody needs. O(slots), unless there are none.
  var framesOfUnneededSlots: [FrameNumber] {
    var found: [FrameNumber] = []
    for case let area? in areas where area.spare > 0 {
      for slot in area.frames.indices where area.frames[slot] != 0 && area.users[slot] == 0 {
        found.append(FrameNumber(UInt64(area.frames[slot])))
      }
    }
    return found
  }

  /// Stores a frame's bytes in the slot of `entry`.
  func write(_ entry: SwapEntry, from frame: FrameNumber, in memory: PhysicalMemory) {
    areas[Int(entry.area)]?.store.write(entry.offset, from: frame, in: memory)
  }

  /// Fills a frame with the bytes in the slot of `entry`.
  func read(_ entry: SwapEntry, into frame: FrameNumber, in memory: PhysicalMemory) {
    areas[Int(entry.area)]?.store.read(entry.offset, into: frame, in: memory)
  }

  /// The storage that holds `entry`.
  func store(of entry: SwapEntry) -> PageStore? { areas[Int(entry.area)]?.store }
}
