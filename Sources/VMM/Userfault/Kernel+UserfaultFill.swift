// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// Pages that a monitor provides.
@usableFromInline struct UserfaultFill {
  @usableFromInline var command: UserfaultCommand
  @usableFromInline var range: VirtualRange
  /// Where the contents come from, for `copy`.
  @usableFromInline var source: VirtualAddress
  @usableFromInline var wakes: Bool
  @usableFromInline var protects: Bool
}

extension Kernel {
  /// UFFDIO_POISON takes `(start, length, mode, done out)`: DONTWAKE 1.
  ///
  /// UFFDIO_COPY `(target, source, length, mode, copied out)`, UFFDIO_ZEROPAGE and UFFDIO_CONTINUE
  /// `(start, length, mode, done out)`: DONTWAKE 1, WP 2.
  @usableFromInline
  func planFill(_ space: Space<Database>, _ command: UserfaultCommand, _ words: [UInt64]) throws(Errno)
    -> UserfaultFill
  {
    let isCopy = command == .copy
    let (source, length, mode) = isCopy ? (words[1], words[2], words[3]) : (0, words[1], words[2])
    let range = try userfaultRange(words[0], length)
    let known: UInt64 = command == .zeroPage || command == .poison ? 1 : 3
    guard source <= UInt64.max - length, mode & ~known == 0 else { throw .einval }
    guard let area = space.layout.areas.area(at: range.start), area.userfault != 0,
      area.range.contains(range)
    else { throw .enoent }
    if mode & 2 != 0, !area.flags.contains(.userfaultProtect) { throw .einval }
    if command == .proceed, area.isAnonymous { throw .einval }
    return UserfaultFill(
      command: command, range: range, source: VirtualAddress(source), wakes: mode & 1 == 0,
      protects: mode & 2 != 0)
  }

  /// Maps one page after the other until one cannot be.
  /// - Returns: the bytes that were mapped, and why it stopped early.
  @inlinable
  func fillPages(_ process: Process<Database>, _ space: Space<Database>, _ fill: UserfaultFill) -> (
    UInt64, Errno?
  ) {
    var done: UInt64 = 0
    while done < fill.range.bytes {
      do throws(Errno) {
        var contents: [UInt64] = []
        if fill.command == .copy {
          contents = try pageContents(process, fill.source.advanced(by: done))
        }
        try fillPage(space, fill, fill.range.start.advanced(by: done), contents)
      } catch { return (done, error) }
      done &+= PageSize.base.bytes
    }
    return (done, nil)
  }

  /// A page's worth of the caller's memory, eight bytes at a time.
  @inlinable
  func pageContents(_ process: Process<Database>, _ start: VirtualAddress) throws(Errno) -> [UInt64] {
    var words: [UInt64] = []
    words.reserveCapacity(512)
    for index in 0..<UInt64(512) {
      let address = start.advanced(by: index &* 8)
      if start.isAligned(to: .base), index > 0, let place = place(of: address, in: process.space, .load) {
        words.append(platform.memory.contents(at: place))
      } else {
        words.append(try loadUser(process, address))
      }
    }
    return words
  }

  @inlinable
  func fillPage(
    _ space: Space<Database>, _ fill: UserfaultFill, _ address: VirtualAddress, _ contents: [UInt64]
  ) throws(Errno) {
    while true {
      guard let index = areaIndex(space, address) else { throw .enoent }
      let area = space.layout.areas.areas[index]
      let page = VirtualRange(page: address, .base)
      let database = space.database
      var lock = database.rangeLock(over: page)
      database.lockForWriting(&lock)
      defer {
        database.unlock(&lock)
        database.putLock(lock)
      }
      var object = database.find(address)
      if fill.command != .poison, isOverwritten(object, in: database) {
        object = Database.Object(unmappedAt: address, size: .base)
      }
      guard !object.isMapped else { throw .eexist }
      let outcome =
        try fill.command == .poison
        ? poison(space, page)
        : area.isAnonymous
          ? fillPrivate(space, area, index, object, page, contents)
          : fillShared(space, area, object, page, fill.command, contents)
      switch outcome {
      case .resolved:
        if space.layout.tracksSoftDirty, fill.command != .poison { noteStore(space, address) }
        guard fill.protects else { return }
        do {
          let change = try database.updateAttributes(at: address) { object in
            object.isUserfaultWriteProtected = true
            object.isWritable = false
          }
          database.settle(change.takeObligation())
        } catch { preconditionFailure("a page that was just mapped is gone") }
        return
      case .outOfMemory:
        database.unlock(&lock)
        let isWorthTrying = reclaimAfterFailure()
        database.lockForWriting(&lock)
        if !isWorthTrying { throw .enomem }
      case .refused, .waits: throw .efault
      }
    }
  }

  /// Whether a new page takes the place of a marker without further ado (Linux: `pte_none_mostly`).
  @inlinable func isOverwritten(_ object: Database.Object, in database: Database) -> Bool {
    guard object.isMapped, !object.isPresent else { return false }
    let entry = database.swapEntry(of: object)
    return entry == Marker.writeProtected || entry == Marker.poison
  }

  /// Makes accesses to an untouched page fail as if its memory were broken. Children inherit that.
  @inlinable func poison(_ space: Space<Database>, _ page: VirtualRange) -> FaultOutcome {
    do {
      let blank = Database.Object(unmappedAt: page.start, size: .base)
      let marker = try space.database.object(blank, swappedTo: Marker.poison)
      space.database.settle(try space.database.update(marker).takeObligation())
    } catch { return .outOfMemory }
    noteMarkers(space, page.start)
    return .resolved(.minor)
  }

  @usableFromInline func noteMarkers(_ space: Space<Database>, _ address: VirtualAddress) {
    guard let index = space.layout.areas.index(of: address) else { return }
    space.layout.areas.areas[index].flags.formUnion([.hasGuards, .hasPrivatePages])
  }

  @inlinable
  func fillPrivate(
    _ space: Space<Database>, _ area: VMA, _ index: Int, _ object: Database.Object, _ page: VirtualRange,
    _ contents: [UInt64]
  ) throws(Errno) -> FaultOutcome {
    guard !contents.isEmpty else { return mapZeroPage(space, space.database, area, object, page) }
    guard let frame = takeFrame() else { return .outOfMemory }
    meter.count(.frameAllocated)
    meter.count(.contentCopied)
    platform.frames.markUsed(frame, frames: 1)
    write(contents, to: frame)
    return mapOwnPage(space, space.database, area, index, blank(object, page), frame, .minor)
  }

  /// Shared memory: a new page for the file, or for `proceed` the one that it has.
  @inlinable
  func fillShared(
    _ space: Space<Database>, _ area: VMA, _ object: Database.Object, _ page: VirtualRange,
    _ command: UserfaultCommand, _ contents: [UInt64]
  ) throws(Errno) -> FaultOutcome {
    let number = area.filePage(at: page.start)
    if isBeyondEnd(area.file, number) { throw .efault }
    if command == .proceed {
      guard hasPage(area.file, number) else { throw .efault }
    } else {
      guard !hasPage(area.file, number) else { throw .eexist }
      guard let (frame, _) = cachedPage(of: area.file, number) else { return .outOfMemory }
      if !contents.isEmpty {
        write(contents, to: frame)
        platform.frames.table.mark(.dirty, frame)
      }
    }
    return mapFilePage(space, space.database, area, object, page, .load)
  }

  @usableFromInline func write(_ contents: [UInt64], to frame: FrameNumber) {
    for (index, word) in contents.enumerated() {
      platform.memory.setContents(word, at: frame.address.advanced(by: UInt64(index) * 8))
    }
  }
}
