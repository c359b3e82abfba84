// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

extension Kernel {
  /// A load or fetch of a file page was served: maps its neighbours too that are in memory already, inside the aligned
  /// window of `faultAroundPages` pages, the area and the file (Linux: `do_fault_around`). Stops where memory for tables
  /// is short.
  @inlinable
  func mapAround(_ space: Space<Database>, _ area: VMA, _ address: VirtualAddress) {
    // Every fault there is to be seen by the userfaultfd.
    guard area.flags.isDisjoint(with: [.userfaultMinor, .userfaultProtect]) else { return }
    let window = aroundWindow(area, address)
    let database = space.database
    var lock = database.rangeLock(over: window)
    database.lockForWriting(&lock)
    var next = window.start
    while next < window.end {
      let object = database.find(next)
      if !object.isMapped, let frame = residentPage(of: area.file, area.filePage(at: next)) {
        var neighbour = blank(object, VirtualRange(page: next, .base))
        neighbour.place(frame, grants(area.rights, writable: Mutation.neighboursWritable.isPlanted))
        guard case .resolved = map(space, database, neighbour, .minor) else { break }
        platform.frames.table.addMapping(frame)
        pagesMappedAround &+= 1
      }
      next = next.advanced(by: PageSize.base.bytes)
    }
    database.unlock(&lock)
    database.putLock(lock)
  }

  @usableFromInline func aroundWindow(_ area: VMA, _ address: VirtualAddress) -> VirtualRange {
    let bytes = faultAroundPages &* PageSize.base.bytes
    let start = VirtualAddress(address.raw / bytes * bytes)
    return VirtualRange(start, bytes: bytes).intersection(area.range)
  }

  /// The frame of a page that the file has in memory, unless it lies behind the file's end.
  @usableFromInline func residentPage(of file: FileID, _ page: UInt64) -> FrameNumber? {
    meter.count(.pageCache)
    return isBeyondEnd(file, page) ? nil : files[file].pages[page]
  }

  /// Pages that were mapped because a neighbour was used.
  @inlinable public internal(set) var pagesMappedAround: UInt64 {
    get { counters.value.pagesMappedAround }
    set { counters.value.pagesMappedAround = newValue }
  }
}
