// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

// What a monitor learns besides faults. On Linux the call that an event is about waits until the monitor has read it; here
// calls go on at once, and only commands that provide pages are refused (EAGAIN) until then.
extension Kernel {
  /// The next event of the userfaultfd that a descriptor of `process` refers to, as `read` gives it: faults first. A fork's
  /// makes a descriptor for the child's userfaultfd in `process`.
  public func takeUserfaultEvent(_ process: Process<Database>, _ descriptor: UInt32) throws(Errno)
    -> UserfaultEvent?
  {
    guard let file = process.descriptors[descriptor] else { throw .ebadf }
    guard let userfault = files[file.file].userfault, userfault.isReady else { throw .einval }
    guard !userfault.events.isEmpty else { return nil }
    let first = userfault.events.firstIndex { $0.kind == .pageFault } ?? 0
    var event = userfault.events.remove(at: first)
    guard event.kind == .fork else { return event }
    event.descriptor = process.descriptors.lowestFree
    open(process, event.descriptor, OpenFile(file: event.file, isWritable: false))
    releaseFile(event.file)
    return event
  }

  /// The userfaultfd of an area, if it asked for all of these events.
  func watcher(of area: VMA, _ feature: UInt64) -> Userfault? {
    guard area.userfault != 0, let userfault = files[FileID(area.userfault)].userfault,
      userfault.has(feature)
    else { return nil }
    return userfault
  }

  /// `range` is about to be unmapped by a call.
  @usableFromInline func announceUnmapping(_ space: Space<Database>, _ range: VirtualRange) {
    announce(.unmap, Userfault.eventUnmap, range, space.layout.areas.overlapping(range))
  }

  /// Pages of a part of an area are about to be dropped by advice.
  @usableFromInline func announceRemoval(_ advice: Advice, _ area: VMA, _ part: VirtualRange) {
    switch advice {
    case .dontNeed, .dontNeedLocked, .free, .remove: announce(.remove, Userfault.eventRemove, part, [area])
    default: break
    }
  }

  private func announce(
    _ kind: UserfaultEvent.Kind, _ feature: UInt64, _ range: VirtualRange, _ areas: ArraySlice<VMA>
  ) {
    var told: Set<UInt32> = []
    for area in areas where told.insert(area.userfault).inserted {
      watcher(of: area, feature)?.events.append(UserfaultEvent(kind, range))
    }
  }

  /// Whether an area is watched at its new place too when it moves.
  @usableFromInline func isWatchedWhenMoved(_ area: VMA) -> Bool {
    watcher(of: area, Userfault.eventRemap) != nil
  }

  /// Pages of a watched area have moved.
  @usableFromInline
  func announceMove(_ area: VMA, _ source: VirtualRange, to target: VirtualAddress) {
    var event = UserfaultEvent(.remap, source)
    event.target = target
    watcher(of: area, Userfault.eventRemap)?.events.append(event)
  }

  /// Makes a child's area one of a userfaultfd of its own, if its parent's wants to know of forks; else nobody watches it.
  @usableFromInline func inheritUserfault(_ area: inout VMA, _ child: Space<Database>) {
    let original = FileID(area.userfault)
    guard let parent = watcher(of: area, Userfault.eventFork) else { return area.disarm() }
    if let made = newborns(of: child).first(where: { files[$0].userfault?.original == original }) {
      area.userfault = made.raw
      return
    }
    let userfault = Userfault(space: child.number)
    userfault.isReady = true
    userfault.features = parent.features
    userfault.original = original
    let id = files.make(.notMappable)
    files[id].userfault = userfault
    userfaults.append(id)
    area.userfault = id.raw
  }

  private func newborns(of child: Space<Database>) -> [FileID] {
    userfaults.filter { files[$0].userfault?.space == child.number && files[$0].userfault?.original != nil }
  }

  /// The child exists: monitors get its userfaultfds.
  @usableFromInline func announceFork(_ child: Space<Database>) {
    for id in newborns(of: child) {
      guard let userfault = files[id].userfault, let original = userfault.original else { continue }
      userfault.original = nil
      files.retain(id)
      var event = UserfaultEvent(.fork)
      event.file = id
      files[original].userfault?.events.append(event)
    }
  }

  /// The child will not exist after all.
  func discardNewborns(of child: UInt16) {
    for id in userfaults where files[id].userfault?.space == child && files[id].userfault?.original != nil {
      userfaults.removeAll { $0 == id }
      files[id].userfault = nil
      discardIfUnreachable(id)
    }
  }
}
