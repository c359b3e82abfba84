// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Memory that the kernel allocates for itself at addresses of its own (Linux: vmalloc and vmap). All of it is charged to
// `.other`, or to whatever operation needs the memory.
extension Kernel {
  /// Maps `pages` frames from anywhere at free kernel addresses, with a page that faults behind them (Linux: `vmalloc`).
  ///
  /// Every process sees the mapping at once, on every CPU, and only the supervisor may use it.
  /// - Throws: `.einval` for no pages, `.enomem` when addresses, frames or table memory run out: nothing has changed.
  /// - Complexity: linear in pages and areas.
  @inlinable public func allocateKernelMemory(
    pages: UInt64, _ options: KernelMemoryOptions = []
  ) throws(Errno) -> VirtualRange {
    guard pages > 0 else { throw .einval }
    guard pages < KernelLayout.mappings.pages else { throw .enomem }
    let mark = meter.enter(.other)
    defer { meter.leave(mark) }
    while true {
      if let range = tryToAllocate(pages, options) { return range }
      guard reclaimAfterFailure() else { throw .enomem }
    }
  }

  /// Maps given frames, in this order, at free kernel addresses (Linux: `vmap`). Each frame is held until the mapping is
  /// freed; runs that are aligned and contiguous become huge pages.
  /// - Parameter frames: allocated single, not parts of a block.
  /// - Throws: as `allocateKernelMemory`.
  @inlinable public func mapKernelFrames(
    _ frames: [FrameNumber],
    _ protection: Protection = Protection(readable: true, writable: true, executable: false)
  ) throws(Errno) -> VirtualRange {
    guard !frames.isEmpty else { throw .einval }
    let mark = meter.enter(.other)
    defer { meter.leave(mark) }
    let pieces = pieces(of: frames)
    while true {
      if let range = map(pieces, protection, ownsFrames: false) { return range }
      guard reclaimAfterFailure() else { throw .enomem }
    }
  }

  @inlinable func tryToAllocate(_ pages: UInt64, _ options: KernelMemoryOptions) -> VirtualRange? {
    guard let pieces = takeFrames(pages, options) else { return nil }
    let protection = Protection(readable: true, writable: true, executable: false)
    if let range = map(pieces, protection, ownsFrames: true) { return range }
    giveBackFrames(pieces)
    return nil
  }

  /// Finds addresses for the pieces and maps them.
  /// - Returns: where; nil when there are no addresses or no memory for tables. Nothing is mapped then.
  @inlinable
  func map(_ pieces: [KernelPiece], _ protection: Protection, ownsFrames: Bool) -> VirtualRange? {
    guard let range = kernelGap(for: pieces) else { return nil }
    let mark = meter.enter(.rangeOperation)
    defer { meter.leave(mark) }
    let database = service.kernelDatabase
    var lock = database.rangeLock(over: range)
    database.lockForWriting(&lock)
    defer {
      database.unlock(&lock)
      database.putLock(lock)
    }
    guard insert(pieces, at: range.start, protection) else {
      clear(range)
      return nil
    }
    add(range, pieces, ownsFrames: ownsFrames)
    return range
  }

  /// Maps pieces one behind the other; runs of contiguous pages of one size go to the driver together.
  /// - Returns: whether all are mapped; when not, some may be.
  @inlinable
  func insert(_ pieces: [KernelPiece], at start: VirtualAddress, _ protection: Protection) -> Bool {
    let database = service.kernelDatabase
    var address = start
    var index = 0
    while index < pieces.count {
      let piece = pieces[index]
      var count = 1
      while index + count < pieces.count, pieces[index + count].size == piece.size,
        pieces[index + count].frame.raw == piece.frame.raw &+ UInt64(count) &* piece.size.basePages
      {
        count += 1
      }
      let object = kernelPage(database, address, piece, protection)
      do throws(TranslationError) {
        if count == 1 {
          database.settle(try database.update(object).takeObligation())
        } else {
          try insertRun(database, object, UInt64(count))
        }
      } catch { return false }
      address = address.advanced(by: UInt64(count) &* piece.size.bytes)
      index += count
    }
    return true
  }

  @inlinable func insertRun(
    _ database: Database, _ first: Database.Object, _ count: UInt64
  ) throws(TranslationError) {
    do { database.settle(try database.insertRun(first, count: count)) } catch { throw error.reason }
  }

  /// A page of the kernel's: used and written from the start, the same in every address space, not the user's.
  @inlinable func kernelPage(
    _ database: Database, _ address: VirtualAddress, _ piece: KernelPiece, _ protection: Protection
  ) -> Database.Object {
    var object = Database.Object(unmappedAt: address, size: piece.size)
    var grants: PageGrants = [.accessed, .dirty, .readable]
    if protection.isWritable { grants.insert(.writable) }
    if protection.isExecutable { grants.insert(.executable) }
    object.place(piece.frame, grants)
    object.isReadable = protection.isReadable
    object.isGlobal = true
    return object
  }

  /// Unmaps what is mapped in `range`, in which no page reaches over an edge.
  @inlinable func clear(_ range: VirtualRange) {
    let database = service.kernelDatabase
    do { database.settle(try database.removeAll(in: range) { _ in }) } catch {
      preconditionFailure("a kernel mapping could not be removed: \(error)")
    }
  }

  @usableFromInline func kernelGap(for pieces: [KernelPiece]) -> VirtualRange? {
    meter.count(.vmaLookup)
    let alignment = pieces.reduce(PageSize.base) { max($0, $1.size) }
    return kernelMemory.gap(pages: pieces.reduce(0) { $0 + $1.size.basePages }, alignment: alignment)
  }

  @usableFromInline func add(_ range: VirtualRange, _ pieces: [KernelPiece], ownsFrames: Bool) {
    meter.count(.vmaChange)
    if !ownsFrames { for frame in frames(of: pieces) { platform.frames.table.retain(frame) } }
    kernelMemory.insert(KernelArea(range, pieces, ownsFrames: ownsFrames))
  }
}
