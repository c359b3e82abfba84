// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory

// Advice on files. Files live in memory, so all there is to read ahead is what reclaim took.
extension Kernel {
  /// `readahead(descriptor, offset, count)`.
  @usableFromInline
  func readahead(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let file = try openFile(process, request, argument: 0)
    guard file.isReadable else { throw .ebadf }
    guard files[file.file].kind != .notMappable else { throw .einval }
    try commit(request)
    readAhead(file.file, offset: request[1], bytes: request[2])
    return 0
  }

  /// `fadvise64(descriptor, offset, length, advice)`: NORMAL 0, RANDOM 1, SEQUENTIAL 2, WILLNEED 3, DONTNEED 4, NOREUSE 5.
  @usableFromInline
  func fadvise(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let file = try openFile(process, request, argument: 0)
    guard files[file.file].kind != .notMappable else { throw .espipe }
    guard Int64(bitPattern: request[2]) >= 0, request[3] & 0xFFFF_FFFF <= 5 else { throw .einval }
    try commit(request)
    // A length of 0 means up to the end.
    let bytes = request[2] == 0 ? UInt64.max : request[2]
    if request[3] & 0xFFFF_FFFF == 3 { readAhead(file.file, offset: request[1], bytes: bytes) }
    return 0
  }

  private func readAhead(_ id: FileID, offset: UInt64, bytes: UInt64) {
    let file = files[id]
    guard file.hasEvictedPages, bytes > 0 else { return }
    let (end, overflow) = offset.addingReportingOverflow(bytes - 1)
    let last = min((overflow ? .max : end) >> 12, PageIndex.maximumPages - 1)
    guard offset >> 12 <= last else { return }
    let pages = offset >> 12..<last + 1
    for page in file.slots.positions(in: pages) + file.store.pages(in: pages) where file.pages[page] == nil {
      if cachedPage(of: id, page) == nil { return }
    }
  }
}
