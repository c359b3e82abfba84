// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

/// What is known of a part of a file's page cache (Linux: `struct cachestat`).
struct CacheStatistics {
  /// Pages in memory.
  var cached: UInt64 = 0
  /// Of these, pages that storage does not have as they are. Shared memory has no storage, so it has none.
  var dirty: UInt64 = 0
  /// Pages that reclaim took and whose contents are elsewhere.
  var evicted: UInt64 = 0
}

extension Kernel {
  /// `cachestat(descriptor, range, statistics, flags)`, where `range` leads to an offset and a length in bytes, 0 for all.
  /// Nothing is ever under way to storage here, and how lately pages were evicted is not known: those two are zero.
  /// - Throws: `.ebadf`, `.efault`, `.eopnotsupp` for pooled huge pages, `.einval` for flags.
  @inlinable
  func cacheStatistics(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    guard hasDescriptor(process, request) else { throw .ebadf }
    let offset = try loadUser(process, request.address(1))
    let length = try loadUser(process, request.address(1).advanced(by: 8))
    if isPooled(process, request) { throw .eopnotsupp }
    guard request[3] & 0xFFFF_FFFF == 0 else { throw .einval }
    for (index, word) in statistics(process, request, offset, length).enumerated() {
      try storeUser(word, process, request.address(2).advanced(by: UInt64(index) &* 8))
    }
    return 0
  }

  @usableFromInline
  func hasDescriptor(_ process: Process<Database>, _ request: SystemCallRequest) -> Bool {
    process.descriptors[request.descriptor(0)] != nil
  }

  @usableFromInline func isPooled(_ process: Process<Database>, _ request: SystemCallRequest) -> Bool {
    process.descriptors[request.descriptor(0)].map { files[$0.file].hugeTLB != nil } ?? false
  }

  @usableFromInline
  func statistics(
    _ process: Process<Database>, _ request: SystemCallRequest, _ offset: UInt64, _ length: UInt64
  ) -> [UInt64] {
    guard let id = process.descriptors[request.descriptor(0)]?.file else { return [] }
    let file = files[id]
    let first = min(offset >> 12, PageIndex.maximumPages)
    let last = length == 0 ? UInt64.max : (offset &+ length &- 1) >> 12
    var found = CacheStatistics()
    if last >= first {
      for page in file.knownPages(in: first..<(min(last, PageIndex.maximumPages - 1) + 1)) {
        guard let frame = file.pages[page] else {
          found.evicted += 1
          continue
        }
        found.cached += 1
        if file.kind != .sharedMemory, isDirty(frame) { found.dirty += 1 }
      }
    }
    return [found.cached, found.dirty, 0, found.evicted, 0]
  }

  private func isDirty(_ frame: FrameNumber) -> Bool {
    var isDirty = platform.frames.table.pageFlags(frame).contains(.dirty)
    if isDirty { return true }
    forEachTranslation(of: frame) { _, _, object in
      isDirty = object.isDirty
      return !isDirty
    }
    return isDirty
  }

  /// `fsync(descriptor)` and `fdatasync(descriptor)`: storage has the file's pages as they are then.
  /// - Throws: `.ebadf`, `.einval` for what has no storage.
  @usableFromInline
  func fsync(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    guard let id = process.descriptors[request.descriptor(0)]?.file else { throw .ebadf }
    let (file, table) = (files[id], platform.frames.table)
    guard file.kind == .regular || file.kind == .sharedMemory else { throw .einval }
    try commit(request)
    guard file.kind == .regular else { return 0 }
    for page in file.pages.pages(in: 0..<PageIndex.maximumPages) {
      guard let frame = file.pages[page] else { continue }
      forEachTranslation(of: frame) { space, _, object in
        if object.isDirty { collectDirty(space, object) }
        return true
      }
      guard table.pageFlags(frame).contains(.dirty) else { continue }
      file.store.write(page, from: frame, in: platform.memory)
      table.unmark(.dirty, frame)
      meter.count(.swapTransfer)
      reclaimCell.value.counts.writtenBack += 1
    }
    return 0
  }
}
