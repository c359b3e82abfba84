// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// From a page to its translations. The key in the frame's word names a group or a file and an offset; the spaces that
// may hold such pages are known; in each, the area that was seen last is tried first, then the others.
extension Kernel {
  /// Calls `body` with every translation of the page in `frame`, under the write lock of its page, until `body` says
  /// false. `body` may change or remove the translation. O(1) for a page that one space maps where its areas were seen
  /// last; O(areas) for a space where they have to be searched.
  /// - Parameter splitting: huge translations are split, as far as memory for tables allows, and `body` sees the base page.
  @inlinable
  func forEachTranslation(
    of frame: FrameNumber, splitting: Bool = false, _ body: (Space<Database>, VMA, Database.Object) -> Bool
  ) {
    let key = PageKey(word: platform.frames.table.word(frame))
    var left = platform.frames.table.mappings(frame)
    guard left > 0 else { return }
    guard key.isMerged else {
      _ = forEachTranslation(of: frame, key, left: &left, splitting: splitting, body)
      return
    }
    for key in samePages.keys(of: key.page) {
      if left == 0 || !forEachTranslation(of: frame, key, left: &left, splitting: splitting, body) { return }
    }
  }

  /// The same for translations that `key` leads to, until `left` of them were seen.
  /// - Returns: false when `body` said so.
  @inlinable
  func forEachTranslation(
    of frame: FrameNumber, _ key: PageKey, left: inout UInt32, splitting: Bool,
    _ body: (Space<Database>, VMA, Database.Object) -> Bool
  ) -> Bool {
    let mappers = mappers(of: key)
    for index in mappers.members.indices {
      let member = mappers.members[index]
      meter.count(.reverseMapStep)
      guard let space = spaceCell.value[Int(member.space)] else { continue }
      let guess = VirtualAddress(member.origin &+ key.page &<< UInt64(PageSize.baseShift))
      var seen: UInt64 = 0
      if let area = space.layout.areas.area(at: guess), key.mayBe(in: area), key.address(in: area) == guess {
        seen = area.range.pages
        switch visit(space, area, guess, frame, splitting, body) {
        case .notThere: break
        case .goOn: left &-= 1
        case .stop: return false
        }
      }
      if left == 0 { return true }
      // Where that area is the only one of its kind there is nothing else to search.
      // Areas that merged since then count first.
      settleGroupGains(space)
      guard seen < self.mappers(of: key).members[index].pages else { continue }
      let areas = space.layout.areas.areas
      for area in areas where key.mayBe(in: area) {
        meter.count(.reverseMapStep)
        guard let address = key.address(in: area), address != guess else { continue }
        switch visit(space, area, address, frame, splitting, body) {
        case .notThere: continue
        case .goOn: left &-= 1
        case .stop: return false
        }
        remember(area.origin, of: key, at: index)
        if left == 0 { return true }
      }
    }
    return true
  }

  @usableFromInline enum Visit { case notThere, goOn, stop }

  @inlinable
  func visit(
    _ space: Space<Database>, _ area: VMA, _ address: VirtualAddress, _ frame: FrameNumber,
    _ splitting: Bool, _ body: (Space<Database>, VMA, Database.Object) -> Bool
  ) -> Visit {
    let database = space.database
    let mayBeHuge = splitting && hugePageCounts.isInUse
    var lock = database.rangeLock(over: VirtualRange(page: address, mayBeHuge ? hugeSize : .base))
    database.lockForWriting(&lock)
    defer {
      database.unlock(&lock)
      database.putLock(lock)
    }
    var object = database.find(address)
    if mayBeHuge, object.isPresent, !object.isSpecial, object.size != .base {
      do { try splitHugePage(space, object) } catch { return .notThere }
      object = database.find(address)
    }
    guard object.isPresent, !object.isSpecial, object.frame == frame else { return .notThere }
    return body(space, area, object) ? .goOn : .stop
  }

  /// The spaces that may map a page.
  @usableFromInline func mappers(of key: PageKey) -> Mappers {
    key.isAnonymous ? groupCell.value[key.number] : files[FileID(key.number)].mappers
  }

  @usableFromInline func remember(_ origin: UInt64, of key: PageKey, at index: Int) {
    if key.isAnonymous {
      groupCell.value.setOrigin(origin, of: key.number, at: index)
    } else {
      files[FileID(key.number)].mappers.setOrigin(origin, at: index)
    }
  }

  /// Compares all translations with the reverse map, both ways. For tests: O(pages × spaces).
  /// - Returns: the first difference in words, nil when there is none.
  public func reverseMapFault() -> String? {
    let table = platform.frames.table
    var counts: [UInt64: UInt32] = [:]
    // Frames that somebody maps by a huge translation although they are counted one by one: found by splitting only.
    var hidden: Set<UInt64> = []
    for space in spaces {
      for area in space.layout.areas.areas {
        var iterator = space.database.makeIterator(over: area.range)
        while let object = space.database.nextMapped(&iterator) {
          guard object.isPresent, !object.isSpecial else { continue }
          if object.size != .base, platform.frames.isCut(object.frame) {
            hidden.formUnion(object.frame.raw..<object.frame.raw + object.size.basePages)
            continue
          }
          counts[object.frame.raw, default: 0] += 1
          guard table.pageFlags(object.frame).contains(.onList) else { continue }
          var isFound = false
          forEachTranslation(of: object.frame) { other, _, found in
            if other === space, found.start == object.start { isFound = true }
            return !isFound
          }
          if !isFound {
            return "\(object.start) maps frame \(object.frame.raw), whose key does not lead there"
          }
        }
        space.database.endIteration(iterator)
      }
    }
    for (frame, count) in counts.sorted(by: { $0.key < $1.key }) {
      let number = FrameNumber(frame)
      var found: UInt32 = 0
      guard table.pageFlags(number).contains(.onList), !hidden.contains(frame) else { continue }
      forEachTranslation(of: number) { _, _, _ in
        found += 1
        return true
      }
      if count != found || count != table.mappings(number) {
        return
          "frame \(frame): \(count) translations, \(table.mappings(number)) counted, \(found) found by its key"
      }
    }
    return nil
  }
}
