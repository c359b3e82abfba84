// SPDX-License-Identifier: MIT

/// The pages of one process by page number: a plain map, kept in blocks of 512 neighbours so that ranges are walked and
/// processes copied without looking for every page by itself.
public struct ModelPages: Sendable {
  private struct Block: Sendable {
    var pages = ContiguousArray<ModelPage?>(repeating: nil, count: 512)
    var count = 0

    mutating func set(_ slot: Int, _ page: ModelPage?) {
      count += (page == nil ? 0 : 1) - (pages[slot] == nil ? 0 : 1)
      pages[slot] = page
    }

    /// Looks before it writes, so that a block shared with another process stays shared.
    mutating func update(_ slots: Range<Int>, _ body: (Int, inout ModelPage) -> Void) {
      for slot in slots where pages[slot] != nil { pages[slot].mutate { body(slot, &$0) } }
    }
  }

  private var blocks: [UInt64: Block] = [:]
  /// How many pages there are.
  public private(set) var count = 0

  /// No pages.
  public init() {}

  /// The page with a number, nil where there is none.
  public subscript(number: UInt64) -> ModelPage? {
    get { blocks[number >> 9]?.pages[Int(number & 511)] }
    set {
      let key = number >> 9
      if newValue == nil, blocks[key]?.pages[Int(number & 511)] == nil { return }
      let before = blocks[key]?.count ?? 0
      blocks[key, default: Block()].set(Int(number & 511), newValue)
      let after = blocks[key]?.count ?? 0
      count += after - before
      if after == 0 { blocks[key] = nil }
    }
  }

  /// How many pages lie in `range`.
  public func count(in range: Range<UInt64>) -> Int {
    keys(in: range).reduce(0) { sum, key in
      guard let block = blocks[key] else { return sum }
      let slots = ModelPages.slots(of: key, in: range)
      return sum + (slots.count == 512 ? block.count : slots.count { block.pages[$0] != nil })
    }
  }

  /// Calls `body` with the pages in `range` in order, until it says false.
  public func forEach(in range: Range<UInt64> = 0..<1 << 52, _ body: (UInt64, ModelPage) -> Bool) {
    for key in keys(in: range) {
      guard let block = blocks[key] else { continue }
      for slot in ModelPages.slots(of: key, in: range) {
        if let page = block.pages[slot], !body(key << 9 | UInt64(slot), page) { return }
      }
    }
  }

  /// Calls `body` with the pages in `range` in order to change them.
  public mutating func update(in range: Range<UInt64>, _ body: (UInt64, inout ModelPage) -> Void) {
    for key in keys(in: range) {
      blocks[key]?.update(ModelPages.slots(of: key, in: range)) { body(key << 9 | UInt64($0), &$1) }
    }
  }

  /// Takes out the pages in `range`.
  public mutating func remove(in range: Range<UInt64>) {
    for key in keys(in: range) {
      guard var block = blocks.removeValue(forKey: key) else { continue }
      count -= block.count
      let slots = ModelPages.slots(of: key, in: range)
      guard slots.count < 512 else { continue }
      for slot in slots where block.pages[slot] != nil { block.set(slot, nil) }
      guard block.count > 0 else { continue }
      count += block.count
      blocks[key] = block
    }
  }

  /// Puts pages everywhere in `range`: `first` and its successors.
  public mutating func fill(_ range: Range<UInt64>, _ first: ModelPage) {
    guard !range.isEmpty else { return }
    var page = first
    for key in range.lowerBound >> 9...(range.upperBound - 1) >> 9 {
      var block = blocks.removeValue(forKey: key) ?? Block()
      count -= block.count
      for slot in ModelPages.slots(of: key, in: range) {
        block.set(slot, page)
        page = page.successor
      }
      count += block.count
      blocks[key] = block
    }
  }

  /// The blocks that `range` touches, in order.
  private func keys(in range: Range<UInt64>) -> [UInt64] {
    guard !range.isEmpty else { return [] }
    let (first, last) = (range.lowerBound >> 9, (range.upperBound - 1) >> 9)
    if last - first < UInt64(blocks.count) { return (first...last).filter { blocks[$0] != nil } }
    return blocks.keys.filter { $0 >= first && $0 <= last }.sorted()
  }

  /// The places of a block that lie in `range`.
  private static func slots(of key: UInt64, in range: Range<UInt64>) -> Range<Int> {
    let start = key << 9
    return Int(max(range.lowerBound, start) - start)..<Int(min(range.upperBound, start + 512) - start)
  }
}

extension Optional {
  /// Changes the value in place.
  fileprivate mutating func mutate(_ body: (inout Wrapped) -> Void) {
    guard case .some(var value) = consume self else {
      self = nil
      return
    }
    body(&value)
    self = value
  }
}
