// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Customizable 1–6 compared object by object; locks, swap and flushes forwarded.
extension Shadowed {
  /// Customizable 1.
  @inlinable public func makeIterator(over range: VirtualRange) -> Iterator {
    let iterator = base.makeIterator(over: range)
    if iterator.position != range.start || iterator.end != range.end {
      report("an iterator over \(range)", "\(iterator.position) to \(iterator.end)")
    }
    return iterator
  }

  /// Customizable 2.
  @inlinable public func hasNext(_ iterator: Iterator) -> Bool {
    let answer = base.hasNext(iterator)
    if answer != (iterator.position < iterator.end) { report("hasNext == \(!answer)", "\(answer)") }
    return answer
  }

  /// Customizable 3.
  @inlinable public func next(_ iterator: inout Iterator) -> Object {
    let position = iterator.position
    begin("next", VirtualRange(page: position, .base))
    let object = base.next(&iterator)
    check(object, at: position)
    checkPosition(iterator, behind: object)
    return object
  }

  /// Customizable 4.
  @inlinable public func skip(_ iterator: inout Iterator, pages: UInt64) {
    let left = VirtualRange(iterator.position, iterator.end).pages
    let expected = iterator.position.advanced(by: Swift.min(pages, left) << 12)
    base.skip(&iterator, pages: pages)
    if iterator.position != expected { report("position \(expected) after skip", "\(iterator.position)") }
  }

  /// Customizable 5.
  @inlinable public func nextMapped(_ iterator: inout Iterator) -> Object? {
    let rest = VirtualRange(iterator.position, iterator.end)
    begin("nextMapped", VirtualRange(page: rest.start, .base))
    let object = base.nextMapped(&iterator)
    let expected = rest.isEmpty ? nil : model.first(touching: rest)
    switch (object, expected) {
    case (nil, nil): break
    case (let object?, let expected?):
      compare(object, expected, "nextMapped in \(rest)")
      checkPosition(iterator, behind: object)
    default: report(expected?.summary ?? "the end in \(rest)", object?.summary ?? "the end")
    }
    return object
  }

  /// Customizable 6.
  @inlinable public func endIteration(_ iterator: consuming Iterator) { base.endIteration(iterator) }

  @inlinable func checkPosition(_ iterator: Iterator, behind object: Object) {
    let end = object.end.raw == 0 ? iterator.end : Swift.min(object.end, iterator.end)
    if iterator.position != end { report("position \(end) behind \(object.summary)", "\(iterator.position)") }
  }

  /// Customizable 19.
  @inlinable public func rangeLock(over range: VirtualRange) -> Lock { base.rangeLock(over: range) }

  /// Customizable 20.
  @inlinable public func lockForReading(_ lock: inout Lock) { base.lockForReading(&lock) }

  /// Customizable 21.
  @inlinable public func lockForWriting(_ lock: inout Lock) { base.lockForWriting(&lock) }

  /// Customizable 22.
  @inlinable public func unlock(_ lock: inout Lock) { base.unlock(&lock) }

  /// Customizable 23.
  @inlinable public func putLock(_ lock: consuming Lock) { base.putLock(lock) }

  /// Customizable 24.
  @inlinable public func swapEntry(of object: Object) -> SwapEntry? {
    let answer = base.swapEntry(of: object)
    if answer != object.swapEntry { report("the swap entry of \(object.summary)", "another one") }
    return answer
  }

  /// Customizable 25.
  @inlinable public func object(_ object: Object, swappedTo entry: SwapEntry) throws(AttributeError) -> Object
  {
    let swapped = try base.object(object, swappedTo: entry)
    var expected = object
    try expected.write(.swapEntry, entry.packed)
    compare(swapped, expected, "swapped to \(entry)")
    return swapped
  }

  /// Customizable 26.
  public var largestSwapOffset: UInt64 { base.largestSwapOffset }

  /// Customizable 27.
  @inlinable public func flush(_ address: VirtualAddress) { base.flush(address) }

  /// Customizable 28.
  @inlinable public func flush(_ range: VirtualRange, stride: PageSize) { base.flush(range, stride: stride) }

  /// Customizable 29.
  @inlinable public func flushAll() { base.flushAll() }

  /// Customizable 30.
  @inlinable public func batch<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try base.batch(body)
  }
}
