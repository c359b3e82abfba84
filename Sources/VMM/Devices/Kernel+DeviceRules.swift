// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// What calls do to mappings of devices. Their pages are of several sizes, and are split like transparent ones.
extension Kernel {
  /// Splits the pages that have `edge` inside.
  /// - Throws: `.enomem`; some are split then, which no program can tell.
  @inlinable
  func cutDevice(_ space: Space<Database>, _ area: VMA, at edge: VirtualAddress) throws(Errno) {
    try splitDevicePages(space, VirtualRange(page: edge, largestDevicePage(area)).intersection(area.range)) {
      $0.start < edge && edge < $0.end
    }
  }

  /// Splits the pages of a device in `range`, and the parts of them, that are to be split.
  @inlinable
  func splitDevicePages(
    _ space: Space<Database>, _ range: VirtualRange, _ isToBeSplit: (Database.Object) -> Bool
  ) throws(Errno) {
    let mark = meter.enter(.rangeOperation)
    defer { meter.leave(mark) }
    let database = space.database
    var lock = database.rangeLock(over: range)
    database.lockForWriting(&lock)
    defer {
      database.unlock(&lock)
      database.putLock(lock)
    }
    var address = range.start
    while address < range.end {
      let object = database.find(address)
      guard object.isPresent, object.size != .base, isToBeSplit(object) else {
        address = object.end
        continue
      }
      do { try database.split(object) } catch {
        timesOutOfMemory &+= 1
        throw .enomem
      }
      hugePageCounts.splits &+= 1
    }
  }

  /// `madvise` for the part of an area that lies in the range.
  @inlinable
  func adviseDevice(
    _ advice: Advice, _ space: Space<Database>, _ area: VMA, _ part: VirtualRange
  ) throws(Errno) {
    switch advice {
    case .remove: throw .eopnotsupp
    case .collapse: throw .einval
    case .cold, .pageOut, .willNeed, .free, .mergeable, .unmergeable: return
    default: try apply(advice, space, area, part)
    }
  }
}
