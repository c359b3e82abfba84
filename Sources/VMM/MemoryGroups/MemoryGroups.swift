// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory

/// All memory groups, and what is charged to which. Group 0 is everything that is in no group; nothing is counted for it.
@usableFromInline struct MemoryGroups: Sendable {
  /// Groups by number less one; nil where there is none.
  private(set) var groups: ContiguousArray<MemoryGroup?> = []
  /// The group that each frame is charged to.
  private(set) var frames = SlotIndex()
  /// The group that the page of each swap entry was charged to when it was reclaimed.
  var slots: [SwapEntry: UInt16] = [:]
  /// The group of each address space, and its faults when it joined.
  private var spaces: [UInt16: (group: UInt16, faults: FaultCounts)] = [:]
  /// The group whose limit the last charge met; 0 when it met none.
  var obstacle: UInt16 = 0

  @usableFromInline init() {}

  /// Whether there is any group.
  var isInUse: Bool { !groups.isEmpty }

  subscript(number: UInt16) -> MemoryGroup? {
    get { number > 0 && Int(number) <= groups.count ? groups[Int(number) - 1] : nil }
    set { groups[Int(number) - 1] = newValue }
  }

  /// A number for a new group.
  mutating func add(_ group: MemoryGroup) -> UInt16? {
    if let free = groups.firstIndex(where: { $0 == nil }) {
      groups[free] = group
      return UInt16(free + 1)
    }
    guard groups.count < 4095 else { return nil }
    groups.append(group)
    return UInt16(groups.count)
  }

  /// The group and those that it is a part of, from the inside outwards.
  func chain(_ number: UInt16) -> [UInt16] {
    var chain: [UInt16] = []
    var next = number
    while let group = self[next] {
      chain.append(next)
      next = group.parent
    }
    return chain
  }

  /// Whether `number` is `group` or a part of it.
  func isPart(_ number: UInt16, of group: UInt16) -> Bool { chain(number).contains(group) }

  /// The group of an address space.
  func group(of space: UInt16) -> UInt16 { spaces[space]?.group ?? 0 }

  /// The spaces of a group and of its parts, with their faults when they joined.
  func members(of group: UInt16) -> [(space: UInt16, faults: FaultCounts)] {
    spaces.filter { isPart($0.value.group, of: group) }.sorted { $0.key < $1.key }
      .map { ($0.key, $0.value.faults) }
  }

  /// An address space belongs to a group from now on; 0 is none.
  mutating func join(_ space: UInt16, _ group: UInt16, _ faults: FaultCounts) {
    if let old = spaces[space], var group = self[old.group] {
      group.formerFaults.add(faults, since: old.faults)
      self[old.group] = group
    }
    spaces[space] = group == 0 ? nil : (group, faults)
  }

  /// Charges pages to a group and to all that it is a part of.
  /// - Returns: false when a limit stands in the way; nothing is charged then.
  mutating func charge(_ number: UInt16, _ pages: UInt64) -> Bool {
    let chain = chain(number)
    for number in chain {
      guard let group = self[number], group.usage + pages > group.limit else { continue }
      self[number]?.failures += 1
      obstacle = number
      return false
    }
    obstacle = 0
    for number in chain {
      guard var group = self[number] else { continue }
      group.usage += pages
      group.peak = max(group.peak, group.usage)
      self[number] = group
    }
    return true
  }

  /// Takes a charge back.
  mutating func uncharge(_ number: UInt16, _ pages: UInt64) {
    for number in chain(number) { self[number]?.usage -= pages }
  }

  /// Notes whose the frames of a block are that were charged.
  mutating func note(_ frame: FrameNumber, order: Int, _ group: UInt16) {
    for step in 0..<(1 as UInt64) << UInt64(order) { frames[frame.raw + step] = UInt64(group) }
  }

  /// The group that a frame is charged to.
  func group(of frame: FrameNumber) -> UInt16 { UInt16(truncatingIfNeeded: frames[frame.raw]) }

  /// The frames of a block are nobody's any more.
  mutating func forget(_ frame: FrameNumber, order: Int) {
    guard frames.count > 0 else { return }
    for step in 0..<(1 as UInt64) << UInt64(order) {
      let group = UInt16(truncatingIfNeeded: frames[frame.raw + step])
      guard group != 0 else { continue }
      frames[frame.raw + step] = 0
      uncharge(group, 1)
    }
  }

  /// `target` is charged instead of `source`.
  mutating func move(_ source: FrameNumber, to target: FrameNumber, order: Int) {
    forget(target, order: order)
    for step in 0..<(1 as UInt64) << UInt64(order) {
      frames[target.raw + step] = frames[source.raw + step]
      frames[source.raw + step] = 0
    }
  }

  /// What is charged to a group is charged to what it is a part of, which counts it already.
  mutating func dissolve(_ number: UInt16) {
    let parent = self[number]?.parent ?? 0
    for frame in frames.positions(in: 0..<(.max)) where frames[frame] == UInt64(number) {
      frames[frame] = UInt64(parent)
    }
    slots = slots.mapValues { $0 == number ? parent : $0 }
    self[number] = nil
  }
}
