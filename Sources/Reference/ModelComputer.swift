// SPDX-License-Identifier: MIT

/// The naive model of what programs see of memory: every page of every process in a dictionary, contents and all.
///
/// It follows calls that succeeded, page by page, without areas, merging, sharing of frames, huge pages or swap. Memory
/// managers, whatever they do inside, must look the same from outside. Obviously correct, and slow.
public struct ModelComputer: Sendable {
  /// What an access does.
  public enum Verdict: Sendable, Equatable {
    /// It is allowed.
    case allowed
    /// Nothing is mapped there, or it is guarded.
    case notMapped
    /// The rights do not allow it.
    case notAllowed
    /// The protection key does not allow it.
    case keyForbids
    /// The page lies behind the end of its file.
    case beyondEndOfFile
  }
  /// Files, by a number of the caller's.
  public var files: [Int: ModelFile] = [:]
  /// The processes.
  public private(set) var processes: [UInt32: ModelPages] = [:]

  /// PKEY_DISABLE_ACCESS 1 and PKEY_DISABLE_WRITE 2 of the keys that each process was given.
  public var keyRights: [UInt32: [UInt8: UInt32]] = [:]

  /// No processes.
  public init() {}

  /// A process without memory.
  public mutating func start(_ pid: UInt32) { processes[pid] = ModelPages() }

  /// A child with a copy of its parent's memory.
  public mutating func fork(_ parent: UInt32, child: UInt32) {
    let pages = processes[parent] ?? ModelPages()
    var copy = pages
    pages.forEach { number, page in
      guard !page.isKeptFromFork else {
        copy[number] = nil
        return true
      }
      guard page.isWipedOnFork || page.isLocked else { return true }
      var page = page
      page.isLocked = false
      page.isLockedOnFault = false
      if page.isWipedOnFork {
        page.drop()
        page.isGuard = false
      }
      copy[number] = page
      return true
    }
    processes[child] = copy
    keyRights[child] = keyRights[parent]
  }

  /// A process starts another program: nothing of its memory is left.
  public mutating func execute(_ pid: UInt32) {
    processes[pid] = ModelPages()
    keyRights[pid] = nil
  }

  /// A process ends.
  public mutating func exit(_ pid: UInt32) { processes[pid] = nil }

  /// The page with `number`, nil where nothing is mapped.
  public func page(_ pid: UInt32, _ number: UInt64) -> ModelPage? { processes[pid]?[number] }

  /// Changes the mapped pages in `range`.
  public mutating func update(_ pid: UInt32, _ range: Range<UInt64>, _ body: (inout ModelPage) -> Void) {
    processes[pid]?.update(in: range) { body(&$1) }
  }

  /// Replaces what is at `number`.
  public mutating func set(_ pid: UInt32, _ number: UInt64, _ page: ModelPage?) {
    processes[pid]?[number] = page
  }

  /// `mmap` made pages that look like `first` and its successors.
  public mutating func map(_ pid: UInt32, _ range: Range<UInt64>, _ first: ModelPage) {
    processes[pid]?.fill(range, first)
  }

  /// `munmap` succeeded.
  public mutating func unmap(_ pid: UInt32, _ range: Range<UInt64>) {
    processes[pid]?.remove(in: range)
  }

  /// `mremap` moved the pages of `source` to where `target` starts, or resized them in place; `keepsSource` is
  /// MREMAP_DONTUNMAP.
  public mutating func remap(
    _ pid: UInt32, _ source: Range<UInt64>, to target: Range<UInt64>, keepsSource: Bool
  ) {
    let old = source.map { processes[pid]?[$0] }
    let isMove = source.lowerBound != target.lowerBound
    // Holes in the source leave alone what is at their target.
    let hasHoles = old.contains { $0 == nil }
    if isMove, !hasHoles { unmap(pid, target) }
    for (index, page) in old.enumerated() where isMove || index >= target.count {
      guard var page else { continue }
      page.drop()
      page.isGuard = false
      if keepsSource {
        page.isLocked = false
        page.isLockedOnFault = false
      }
      processes[pid]?[source.lowerBound + UInt64(index)] = keepsSource ? page : nil
    }
    var next: ModelPage?
    for (index, number) in target.enumerated() {
      if index < old.count {
        guard let page = old[index] else { continue }
        processes[pid]?[number] = page
        next = page.successor
      } else if let page = next {
        processes[pid]?[number] = page
        next = page.successor
      }
    }
  }

  /// Whether an access is allowed.
  public func verdict(
    _ pid: UInt32, _ number: UInt64, isStore: Bool, ignoringKeys: Bool = false
  ) -> Verdict {
    guard let page = page(pid, number) else { return .notMapped }
    if !ignoringKeys, !allows(pid, page.key, isStore: isStore) { return .keyForbids }
    guard isStore ? page.rights & 2 != 0 : page.rights != 0 else { return .notAllowed }
    if page.isGuard { return .notMapped }
    if let file = page.file, page.own == nil, file.page >= files[file.number]?.pageCount ?? 0 {
      return .beyondEndOfFile
    }
    return .allowed
  }

  /// Whether a protection key allows an access: keys that a process never got do not.
  public func allows(_ pid: UInt32, _ key: UInt8, isStore: Bool) -> Bool {
    let denied = key == 0 ? 0 : keyRights[pid]?[key] ?? 1
    return isStore ? denied == 0 : denied & 1 == 0
  }

  /// What a page holds.
  public func contents(_ pid: UInt32, _ number: UInt64) -> ModelContents {
    page(pid, number).map(contents(of:)) ?? ModelContents()
  }

  /// What `page` holds.
  public func contents(of page: ModelPage) -> ModelContents {
    if let own = page.own { return own }
    return page.file.flatMap { files[$0.number]?[$0.page] } ?? ModelContents()
  }

  /// A store that was allowed.
  public mutating func store(_ pid: UInt32, _ number: UInt64, offset: UInt16, _ value: UInt8) {
    guard var page = page(pid, number) else { return }
    if page.isShared, let file = page.file {
      files[file.number]?[file.page][offset] = value
    } else {
      page.own = contents(pid, number)
      page.own?[offset] = value
      page.mayVanish = false
      processes[pid]?[number] = page
    }
  }

  /// The pages of `range` were brought in, up to the first one that cannot be: for a store where that is asked for, else
  /// where the mapping is private and may be written. A store makes private pages of a file copies.
  public mutating func populate(_ pid: UInt32, _ range: Range<UInt64>, forStore: Bool? = nil) {
    for number in range {
      guard let page = page(pid, number) else { return }
      let isStore = forStore ?? (!page.isShared && page.rights & 2 != 0)
      guard verdict(pid, number, isStore: isStore, ignoringKeys: forStore == nil) == .allowed else {
        return
      }
      guard isStore, !page.isShared, page.own == nil else { continue }
      let contents = contents(pid, number)
      processes[pid]?[number]?.own = contents
    }
  }

  /// A file got smaller or lost pages: private copies of pages behind its end are gone too.
  public mutating func truncate(_ file: Int, toPages count: UInt64) {
    files[file]?.resize(toPages: count)
    for pid in processes.keys {
      var cut: [UInt64] = []
      processes[pid]?.forEach { number, page in
        if page.own != nil, let place = page.file, place.number == file, place.page >= count {
          cut.append(number)
        }
        return true
      }
      for number in cut { processes[pid]?[number]?.drop() }
    }
  }
}
