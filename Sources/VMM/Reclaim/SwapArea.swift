// SPDX-License-Identifier: MIT
internal import SimMemory

/// One swap area: storage for pages in numbered slots, and who needs which slot.
///
/// Taking and giving back a slot is O(1): freed slots are taken again first, then the lowest slot that was never used,
/// so that a large area costs only what was used of it.
public struct SwapArea {
  /// How many slots there are.
  public let slots: UInt64
  /// Areas of higher priority are filled first.
  public let priority: Int
  /// Whether pages may be put there: not while the area is being given up.
  var isOpen = true
  /// Slots that somebody needs or the swap cache knows.
  public private(set) var used: UInt64 = 0
  let store = PageStore()
  private var free: ContiguousArray<UInt32> = []
  /// Translations and files that need each slot, as far as slots were ever used.
  private(set) var users: ContiguousArray<UInt32> = []
  /// The frame that holds each slot's page in memory; 0 where there is none.
  private(set) var frames: ContiguousArray<UInt32> = []

  init(slots: UInt64, priority: Int) {
    self.slots = slots
    self.priority = priority
  }

  /// A free slot, nil when the area is full.
  mutating func take() -> UInt64? {
    if let slot = free.popLast() {
      used += 1
      return UInt64(slot)
    }
    guard UInt64(users.count) < slots else { return nil }
    users.append(0)
    frames.append(0)
    used += 1
    return UInt64(users.count - 1)
  }

  /// Slots that nobody needs, but whose page is in memory and need not be written again while it keeps the slot.
  private(set) var spare: UInt64 = 0

  /// One more needs the slot.
  mutating func addUser(_ slot: UInt64) {
    if users[Int(slot)] == 0, frames[Int(slot)] != 0 { spare -= 1 }
    users[Int(slot)] += 1
  }

  /// One less needs the slot.
  /// - Returns: how many are left.
  mutating func dropUser(_ slot: UInt64) -> UInt32 {
    precondition(users[Int(slot)] > 0, "a swap slot is given up more often than it was taken")
    users[Int(slot)] -= 1
    if users[Int(slot)] == 0, frames[Int(slot)] != 0 { spare += 1 }
    return users[Int(slot)]
  }

  /// Notes which frame holds the slot's page; 0 for none.
  mutating func setFrame(_ frame: FrameNumber, of slot: UInt64) {
    if users[Int(slot)] == 0 { spare = spare + (frame.raw != 0 ? 1 : 0) - (frames[Int(slot)] != 0 ? 1 : 0) }
    frames[Int(slot)] = UInt32(truncatingIfNeeded: frame.raw)
  }

  /// Gives the slot back if nobody needs it and no frame holds its page.
  mutating func freeIfUnused(_ slot: UInt64) {
    guard users[Int(slot)] == 0, frames[Int(slot)] == 0 else { return }
    store.discard(slot)
    free.append(UInt32(truncatingIfNeeded: slot))
    used -= 1
  }
}
