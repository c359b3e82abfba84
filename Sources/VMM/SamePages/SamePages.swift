// SPDX-License-Identifier: MIT
public import SimMemory

/// What the job that merges equal pages keeps (Linux: KSM): the pages that it has seen, and two sets of pages in the order
/// of their contents.
///
/// The *stable* set has the merged pages. They are write-protected, so their order lasts. The *unstable* set has pages that
/// were found alone in this scan and did not change since the scan before; they may change at any time, so what is found
/// there is compared again, byte by byte, before anything is merged, and the set is made anew in each scan.
///
/// A merged page carries a number in its frame's word and is held once by this object; whoever drops its last translation
/// ends that (`FrameAllocator.leaveMerging`), and the entry here is noticed to be dead later.
public final class SamePages {
  /// A base page of an address space.
  @usableFromInline struct PageID: Hashable {
    @usableFromInline var space: UInt16
    @usableFromInline var page: UInt64
    @inlinable init(_ space: UInt16, _ address: VirtualAddress) {
      self.space = space
      page = address.pageNumber
    }
    @inlinable var address: VirtualAddress { VirtualAddress(page &<< UInt64(PageSize.baseShift)) }
  }

  /// Where a page that was seen stands.
  enum State: Equatable { case volatile, unstable, merged(UInt64) }

  /// A page that was seen.
  struct Item {
    var checksum: UInt64?
    var state = State.volatile
    var lastScan: UInt64
  }

  /// A page that others were merged into.
  struct Node {
    var frame: FrameNumber
    /// Keys that lead to its translations, in the order in which they came; some may not do so any more.
    var keys: [PageKey]
    var knownKeys: Set<PageKey>
    var sharers: Set<PageID>
  }

  /// How pages are merged.
  public var settings = MergeSettings() {
    didSet { precondition(settings.maximumSharing >= 2, "a merged page has at least two sharers") }
  }
  /// What the job does: `Kernel.setMergeMode` changes it.
  public internal(set) var mode = MergeMode.stop
  /// What it found and did.
  public internal(set) var counts = MergeCounts()
  var items: [UInt16: [UInt64: Item]] = [:]
  var nodes: [UInt64: Node] = [:]
  private var nextNode: UInt64 = 1
  /// Numbers of merged pages, those of equal contents together, in the order of contents.
  var stable: [[UInt64]] = []
  /// In the order of contents, as far as those have not changed.
  @usableFromInline var unstable: [PageID] = []
  /// Scans since boot: unlike `counts.fullScans` never set back.
  @usableFromInline var scan: UInt64 = 1
  /// Where the job goes on.
  @usableFromInline var cursor = (space: 0, address: VirtualAddress(0))

  init() {}

  /// The keys that lead to the translations of merged page `node`.
  @usableFromInline func keys(of node: UInt64) -> [PageKey] { nodes[node]?.keys ?? [] }

  /// The page was found by the job: it is known from now on.
  @usableFromInline func see(_ id: PageID) {
    if items[id.space]?[id.page] == nil {
      items[id.space, default: [:]][id.page] = Item(lastScan: scan)
      counts.volatile += 1
    } else {
      items[id.space]?[id.page]?.lastScan = scan
    }
  }

  /// Whether the page is known as one that was merged into `node`.
  @usableFromInline func isSharer(_ id: PageID, of node: UInt64) -> Bool {
    items[id.space]?[id.page]?.state == .merged(node)
  }

  /// Changes the state of a page that is known.
  func setState(_ id: PageID, _ state: State) {
    guard let old = items[id.space]?[id.page]?.state, old != state else { return }
    switch old {
    case .volatile: counts.volatile -= 1
    case .unstable: counts.unshared -= 1
    case .merged(let node):
      nodes[node]?.sharers.remove(id)
      if nodes[node]?.sharers.isEmpty ?? true { counts.shared -= 1 } else { counts.sharing -= 1 }
    }
    switch state {
    case .volatile: counts.volatile += 1
    case .unstable: counts.unshared += 1
    case .merged(let node):
      if nodes[node]?.sharers.isEmpty ?? true { counts.shared += 1 } else { counts.sharing += 1 }
      nodes[node]?.sharers.insert(id)
    }
    items[id.space]?[id.page]?.state = state
  }

  /// The page is none of the two sets' any more.
  @usableFromInline func detach(_ id: PageID) { setState(id, .volatile) }

  /// Notes the checksum of a page's contents.
  /// - Returns: whether it was the same the last time.
  @usableFromInline func isUnchanged(_ id: PageID, _ checksum: UInt64) -> Bool {
    if items[id.space]?[id.page]?.checksum == checksum { return true }
    items[id.space]?[id.page]?.checksum = checksum
    return false
  }

  /// Forgets pages of a space: all, or those that were not found in this scan.
  @usableFromInline func forget(_ space: UInt16, onlyUnseen: Bool = false) {
    guard let known = items[space] else { return }
    for (page, item) in known where !onlyUnseen || item.lastScan != scan {
      setState(PageID(space, VirtualAddress(page << 12)), .volatile)
      items[space]?[page] = nil
      counts.volatile -= 1
    }
    if items[space]?.isEmpty ?? false { items[space] = nil }
  }

  /// Forgets pages of a part of a space.
  @usableFromInline func forget(_ space: UInt16, in range: VirtualRange) {
    guard let known = items[space] else { return }
    let pages = range.start.pageNumber..<range.start.pageNumber + range.pages
    for page in known.keys where pages.contains(page) {
      setState(PageID(space, VirtualAddress(page << 12)), .volatile)
      items[space]?[page] = nil
      counts.volatile -= 1
    }
  }

  /// A number for the page in `frame`, which becomes a merged one; `key` leads to its first translations.
  @usableFromInline func makeNode(_ frame: FrameNumber, _ key: PageKey) -> UInt64 {
    nodes[nextNode] = Node(frame: frame, keys: [key], knownKeys: [key], sharers: [])
    nextNode += 1
    return nextNode - 1
  }

  /// Takes back `makeNode` for a page that nothing was merged into.
  @usableFromInline func unmakeNode(_ node: UInt64) { nodes[node] = nil }

  /// From now on `key` leads to translations of `node` as well.
  @usableFromInline func add(_ key: PageKey, to node: UInt64) {
    if nodes[node]?.knownKeys.insert(key).inserted ?? false { nodes[node]?.keys.append(key) }
  }

  /// A known page was merged into `node`.
  @usableFromInline func attach(_ id: PageID, to node: UInt64) {
    see(id)
    setState(id, .merged(node))
  }
}

extension FrameAllocator {
  /// The last translation of a merged page is gone: nobody can be merged into it any more.
  /// - Returns: whether it was one, and nobody else holds its frame.
  @usableFromInline func leaveMerging(_ frame: FrameNumber) -> Bool {
    guard table.pageFlags(frame).contains(.merged) else { return false }
    table.unmark(.merged, frame)
    return table.release(frame) == 0
  }
}
