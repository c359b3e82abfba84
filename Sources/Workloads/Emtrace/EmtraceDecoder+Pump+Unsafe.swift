// SPDX-License-Identifier: MIT
public import Events
public import SimMemory

extension EmtraceDecoder {
  /// Feeds accesses to `sink` until an event comes up.
  @inlinable
  func next<Sink: EventSink>(into sink: inout Sink) throws(FeedFailure<Sink.Stop>) -> StoredEvent {
    while true {
      if input.position >= blockEnd {
        do throws(TraceError) { if try !loadBlock() { return .endOfTrace } } catch { throw .trace(error) }
        continue
      }
      let range = try pump(into: &sink)
      let event: StoredEvent
      do throws(TraceError) { event = try self.event(range) } catch { throw .trace(error) }
      if case .endOfBlock = event { continue }
      return event
    }
  }

  /// Decodes up to the next event and returns the place of its bytes.
  ///
  /// Reads may run past the block by less than the buffer's slack; every token is checked before its access
  /// is used.
  @inlinable
  func pump<Sink: EventSink>(into sink: inout Sink) throws(FeedFailure<Sink.Stop>) -> Range<Int> {
    let base = unsafe UnsafePointer(input.base)
    let end = blockEnd
    var predictor = self.predictor
    var cursor = unsafe TokenCursor(base: base, position: input.position)
    var left = recordsLeft
    defer {
      self.predictor = predictor
      input.position = min(cursor.position, end)
      recordsLeft = left
    }
    while true {
      guard cursor.position < end else { throw .trace(error("the block ends inside a record")) }
      let token = UInt8(truncatingIfNeeded: cursor.little(bytes: 1))
      var hits = UInt64(token & 15)
      if hits == 15 { hits &+= cursor.varint() }
      guard hits <= left else { throw .trace(error("the block holds too many records")) }
      left &-= hits
      while hits > 0 {
        hits &-= 1
        let guess = predictor.guess()
        let lastByte = guess.address &+ UInt64(guess.size) &- 1
        guard guess.size != 0, lastByte >= guess.address else {
          throw .trace(error("a record makes no sense"))
        }
        do throws(Sink.Stop) {
          let address = VirtualAddress(guess.address)
          if guess.kind == 0 {
            predictor.fetched(guess.address, size: guess.size)
            try sink.access(.fetch, address, size: UInt32(guess.size))
          } else {
            predictor.touched(guess.kind, guess.address, size: guess.size)
            try sink.access(guess.kind == 1 ? .load : .store, address, size: UInt32(guess.size))
          }
        } catch { throw .sink(error) }
      }
      if token < 16 {
        let length = cursor.varint()
        guard cursor.position <= end, length <= UInt64(end - cursor.position) else {
          throw .trace(error("an event runs past its block"))
        }
        let range = cursor.position..<cursor.position + Int(length)
        cursor.position = range.upperBound
        return range
      }
      let miss = predictor.missed(token &>> 4, &cursor)
      let lastByte = miss.address &+ UInt64(miss.size) &- 1
      guard cursor.position <= end, left > 0, miss.size &- 1 < 4096, lastByte >= miss.address else {
        throw .trace(error("a record makes no sense"))
      }
      left &-= 1
      do throws(Sink.Stop) {
        let address = VirtualAddress(miss.address)
        if miss.kind == 0 {
          predictor.fetched(miss.address, size: miss.size)
          try sink.access(.fetch, address, size: UInt32(miss.size))
        } else {
          predictor.touched(miss.kind, miss.address, size: miss.size)
          try sink.access(miss.kind == 1 ? .load : .store, address, size: UInt32(miss.size))
        }
      } catch { throw .sink(error) }
    }
  }
}

/// Reads the numbers of a payload.
@safe @usableFromInline struct TokenCursor {
  @usableFromInline let base: UnsafePointer<UInt8>
  @usableFromInline var position: Int

  @inlinable init(base: UnsafePointer<UInt8>, position: Int) {
    unsafe self.base = base
    self.position = position
  }

  /// A little-endian number of `bytes` bytes.
  @inlinable @inline(__always) mutating func little(bytes: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<bytes { value |= unsafe UInt64(base[position &+ index]) &<< UInt64(8 &* index) }
    position &+= bytes
    return value
  }

  /// Seven bits per byte, the lowest first; at most ten bytes.
  @inlinable mutating func varint() -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<10 {
      let byte = unsafe base[position]
      position &+= 1
      value |= UInt64(byte & 127) &<< UInt64(7 &* index)
      if byte < 128 { break }
    }
    return value
  }

  @inlinable @inline(__always) mutating func zigzag() -> UInt64 {
    let raw = varint()
    return raw &>> 1 ^ (0 &- (raw & 1))
  }
}

extension Predictor {
  /// The access that a token of class `miss` describes.
  @inlinable
  func missed(_ miss: UInt8, _ cursor: inout TokenCursor) -> Guess {
    switch miss {
    case 1: return fetch(sequential)
    case 2: return fetch(otherSuccessor)
    case 3: return fetch(sequential &+ signed(cursor.little(bytes: 1), bytes: 1))
    case 4: return fetch(sequential &+ signed(cursor.little(bytes: 2), bytes: 2))
    case 5: return fetch(sequential &+ signed(cursor.little(bytes: 4), bytes: 4))
    case 6:
      let size = UInt16(truncatingIfNeeded: cursor.little(bytes: 2))
      return Guess(kind: 0, size: size, address: cursor.little(bytes: 8))
    case 7: return fetch(returnAddress)
    case 8: return data(lastData &+ signed(cursor.little(bytes: 1), bytes: 1))
    case 9: return data(lastData &+ signed(cursor.little(bytes: 2), bytes: 2))
    case 10: return data(lastHere &+ signed(cursor.little(bytes: 1), bytes: 1))
    case 11: return data(lastHere &+ signed(cursor.little(bytes: 2), bytes: 2))
    case 12: return data(lastHere &+ signed(cursor.little(bytes: 4), bytes: 4))
    case 13: return data(cursor.little(bytes: 8))
    case 14:
      let shape = UInt8(truncatingIfNeeded: cursor.little(bytes: 1))
      let size = shape & 127 == 127 ? cursor.little(bytes: 2) : UInt64(shape & 127)
      return Guess(
        kind: shape < 128 ? 1 : 2, size: UInt16(truncatingIfNeeded: size),
        address: lastData &+ cursor.zigzag())
    default:
      let size = UInt16(truncatingIfNeeded: cursor.little(bytes: 1))
      return Guess(kind: 0, size: size, address: sequential &+ cursor.zigzag())
    }
  }

  @inlinable @inline(__always) func fetch(_ address: UInt64) -> Guess {
    Guess(kind: 0, size: ownSize(address), address: address)
  }

  /// `size` 0, which is refused, where no data access is expected.
  @inlinable @inline(__always) func data(_ address: UInt64) -> Guess {
    let shape = shapeHere
    return Guess(kind: shape.kind, size: shape.kind == 0 ? 0 : shape.size, address: address)
  }

  @inlinable @inline(__always) func signed(_ value: UInt64, bytes: UInt64) -> UInt64 {
    let shift = 64 &- 8 &* bytes
    return UInt64(bitPattern: Int64(bitPattern: value &<< shift) &>> Int64(shift))
  }
}
