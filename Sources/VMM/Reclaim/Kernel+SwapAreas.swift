// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

extension Kernel {
  /// `swapon`: adds an area of `pages` slots. Areas of higher priority are filled first; equal ones take turns.
  /// - Returns: the area's number.
  /// - Throws: `.einval` for an area without slots or with more than translations can name, `.eperm` when there are
  ///   too many.
  @discardableResult public func swapOn(pages: UInt64, priority: Int = 0) throws(Errno) -> Int {
    let largest = min(service.kernelDatabase.largestSwapOffset, UInt64(UInt32.max))
    guard pages > 0, pages - 1 <= largest else { throw .einval }
    guard let number = swapCell.value.add(SwapArea(slots: pages, priority: priority)) else { throw .eperm }
    counters.value.alarm = reclaimCell.value.watermarks[0].low
    return number
  }

  /// `swapoff`: brings everything back from an area and removes it.
  /// - Throws: `.einval` when there is no such area, `.enomem` when there is too little memory; every page has its
  ///   contents then, and the area is as before.
  @inlinable @inline(never) public func swapOff(_ number: Int) throws(Errno) {
    let mark = meter.enter(.systemCall)
    defer { meter.leave(mark) }
    guard closeArea(number) else { throw .einval }
    guard makeRoomForArea(number), bringBack(number) else {
      openArea(number)
      throw .enomem
    }
    removeArea(number)
  }

  /// Makes sure that what is only in the area fits into memory. Other areas and files may take pages meanwhile.
  @inlinable func makeRoomForArea(_ number: Int) -> Bool {
    while platform.frames.freeFrames < slotsToRead(number) {
      if !reclaimAfterFailure() { return false }
    }
    return true
  }

  @usableFromInline func closeArea(_ number: Int) -> Bool {
    guard swapCell.value.areas.indices.contains(number), swapCell.value.areas[number] != nil else {
      return false
    }
    swapCell.value.setOpen(number, false)
    return true
  }

  @usableFromInline func openArea(_ number: Int) { swapCell.value.setOpen(number, true) }

  /// Slots of an area whose pages are not in memory.
  @usableFromInline func slotsToRead(_ number: Int) -> UInt64 {
    guard let area = swapCell.value.areas[number] else { return 0 }
    return area.users.indices.reduce(0) { $0 + (area.users[$1] > 0 && area.frames[$1] == 0 ? 1 : 0) }
  }

  @usableFromInline func removeArea(_ number: Int) {
    for frame in swapCell.value.framesOfUnneededSlots
    where swapCell.value.entry(frame).map({ Int($0.area) == number }) ?? false {
      _ = leaveSwapCache(frame)
    }
    precondition(swapCell.value.areas[number]?.used == 0, "a swap area that was emptied is in use")
    swapCell.value.remove(number)
  }

  /// First reads every page into the swap cache, which can be undone, then maps them.
  @inlinable func bringBack(_ number: Int) -> Bool {
    var read: [SwapEntry] = []
    for space in spaceCell.value {
      guard let space else { continue }
      let isDone = forEachSwapped(space, in: number) { index, object, entry in
        if counters.value.placesPages { aim(space, space.layout.areas.areas[index], object.start) }
        guard let (_, wasCached) = swapCachedPage(entry, key(space, index, at: object.start)) else {
          return false
        }
        if !wasCached { read.append(entry) }
        return true
      }
      if !isDone {
        undoRead(read)
        return false
      }
    }
    guard bringFilePagesBack(number) else {
      undoRead(read)
      return false
    }
    for space in spaceCell.value {
      guard let space else { continue }
      let isDone = forEachSwapped(space, in: number) { index, object, entry in
        guard let frame = cachedFrame(entry), bringBack(space, index, object, frame) else { return false }
        finishSwapIn(entry, frame, isAlone: true)
        return true
      }
      if !isDone { return false }
    }
    return true
  }

  /// Maps the page in `frame`, which was read from swap, or a copy where the page would not be found (see `swapIn`).
  /// - Returns: false when memory ran out; nothing changed then.
  @inlinable
  func bringBack(_ space: Space<Database>, _ index: Int, _ object: Database.Object, _ frame: FrameNumber)
    -> Bool
  {
    let area = space.layout.areas.areas[index]
    if has(frame, key(space, index, at: object.start)) {
      return replace(object, by: frame, space, area, isWritable: false)
    }
    guard let copy = allocateCopy(of: frame) else { return false }
    guard replace(object, by: copy, space, area, isWritable: false) else {
      freePage(copy)
      return false
    }
    admit(copy, space, index, at: object.start)
    return true
  }

  /// Calls `body` with the index of the area, the translation and the entry of every page of `space` that is in swap
  /// area `number`, or in any with nil, until it says false.
  @inlinable
  func forEachSwapped(
    _ space: Space<Database>, in number: Int?, over range: VirtualRange? = nil,
    _ body: (Int, Database.Object, SwapEntry) -> Bool
  ) -> Bool {
    let database = space.database
    guard space.swappedPages > 0 else { return true }
    for index in space.layout.areas.areas.indices {
      let area = space.layout.areas.areas[index]
      let part = range.map { area.range.intersection($0) } ?? area.range
      guard area.flags.contains(.hasPrivatePages), !part.isEmpty else { continue }
      var iterator = database.makeIterator(over: part)
      while let object = database.nextMapped(&iterator) {
        guard !object.isPresent, let entry = database.swapEntry(of: object), entry.area != Marker.area,
          number == nil || Int(entry.area) == number
        else { continue }
        guard body(index, object, entry) else {
          database.endIteration(iterator)
          return false
        }
      }
      database.endIteration(iterator)
    }
    return true
  }

  @usableFromInline func cachedFrame(_ entry: SwapEntry) -> FrameNumber? { swapCell.value.frame(entry) }

  /// Frees pages that were read and are not mapped; their slots still have them.
  @usableFromInline func undoRead(_ entries: [SwapEntry]) {
    for entry in entries {
      guard let frame = swapCell.value.frame(entry), platform.frames.table.mappings(frame) == 0 else {
        continue
      }
      _ = takeContents(frame)
    }
  }

  /// Reads pages of shared memory back.
  @usableFromInline func bringFilePagesBack(_ number: Int) -> Bool {
    for id in files.all where files[id].slots.count > 0 {
      for page in files[id].slots.positions(in: 0..<PageIndex.maximumPages) {
        guard let entry = SwapEntry(packed: files[id].slots[page]), Int(entry.area) == number else {
          continue
        }
        if cachedPage(of: id, page) == nil { return false }
      }
    }
    return true
  }
}
