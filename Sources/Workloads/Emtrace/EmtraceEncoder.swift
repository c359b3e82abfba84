// SPDX-License-Identifier: MIT
import Events
import SimMemory

/// Turns accesses and events into block payloads.
struct EmtraceEncoder {
  private let table = PredictorTable()
  private var predictor: Predictor
  /// Right guesses since the last token.
  private var hits: UInt64 = 0
  /// The payload so far.
  private(set) var payload: [UInt8] = []
  /// Accesses in the payload.
  private(set) var records: UInt64 = 0

  init() {
    predictor = Predictor(table)
    payload.reserveCapacity(EmtraceFormat.targetPayload + 256)
  }

  var isFull: Bool { payload.count >= EmtraceFormat.targetPayload }

  mutating func access(_ kind: UInt8, _ address: UInt64, size: UInt16) {
    let guess = predictor.guess()
    records += 1
    if guess.kind == kind && guess.address == address && guess.size == size {
      hits += 1
    } else if kind == 0 {
      missedFetch(address, size)
    } else {
      missedData(kind, address, size, guess)
    }
    if kind == 0 {
      predictor.fetched(address, size: size)
    } else {
      predictor.touched(kind, address, size: size)
    }
  }

  /// Adds an event, already encoded.
  mutating func event(_ bytes: [UInt8]) {
    token(.event)
    payload.appendVarint(UInt64(bytes.count))
    payload += bytes
  }

  /// Closes the block and starts the next one.
  mutating func finishBlock() -> (payload: [UInt8], records: UInt64) {
    event([EmtraceFormat.Tag.endOfBlock.rawValue])
    defer {
      payload.removeAll(keepingCapacity: true)
      records = 0
    }
    return (payload, records)
  }

  private mutating func token(_ miss: Miss) {
    if hits < 15 {
      payload.append(miss.rawValue &<< 4 | UInt8(hits))
    } else {
      payload.append(miss.rawValue &<< 4 | 15)
      payload.appendVarint(hits - 15)
    }
    hits = 0
  }

  private mutating func missedFetch(_ address: UInt64, _ size: UInt16) {
    let delta = Int64(bitPattern: address &- predictor.sequential)
    if predictor.ownSize(address) != size {
      if size < 256 {
        token(.fetchSized)
        payload.append(UInt8(size))
        payload.appendVarint(zigzag(delta))
      } else {
        token(.fetchAnywhere)
        append(UInt64(size), bytes: 2)
        payload.append64(address)
      }
    } else if delta == 0 {
      token(.fetchSequential)
    } else if predictor.otherSuccessor == address {
      token(.fetchOther)
    } else if predictor.returnAddress == address {
      token(.fetchReturn)
    } else if let small = Int8(exactly: delta) {
      token(.fetchNear)
      payload.append(UInt8(bitPattern: small))
    } else if Int16(exactly: delta) != nil {
      token(.fetchFar)
      append(UInt64(bitPattern: delta), bytes: 2)
    } else if Int32(exactly: delta) != nil {
      token(.fetchFarther)
      append(UInt64(bitPattern: delta), bytes: 4)
    } else {
      token(.fetchAnywhere)
      append(UInt64(size), bytes: 2)
      payload.append64(address)
    }
  }

  private mutating func missedData(_ kind: UInt8, _ address: UInt64, _ size: UInt16, _ guess: Predictor.Guess)
  {
    let apart = Int64(bitPattern: address &- predictor.lastData)
    let moved = Int64(bitPattern: address &- predictor.lastHere)
    guard guess.kind == kind, guess.size == size else {
      token(.dataSized)
      payload.append((kind == 2 ? 128 : 0) | UInt8(min(size, 127)))
      if size >= 127 { append(UInt64(size), bytes: 2) }
      return payload.appendVarint(zigzag(apart))
    }
    if let small = Int8(exactly: apart) {
      token(.dataNearLast)
      payload.append(UInt8(bitPattern: small))
    } else if let small = Int8(exactly: moved) {
      token(.dataNear)
      payload.append(UInt8(bitPattern: small))
    } else if Int16(exactly: apart) != nil {
      token(.dataFarFromLast)
      append(UInt64(bitPattern: apart), bytes: 2)
    } else if Int16(exactly: moved) != nil {
      token(.dataFar)
      append(UInt64(bitPattern: moved), bytes: 2)
    } else if Int32(exactly: moved) != nil {
      token(.dataFarther)
      append(UInt64(bitPattern: moved), bytes: 4)
    } else {
      token(.dataAnywhere)
      payload.append64(address)
    }
  }

  private mutating func append(_ value: UInt64, bytes: Int) {
    for index in 0..<bytes { payload.append(UInt8(truncatingIfNeeded: value &>> (8 * index))) }
  }

  private func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value &<< 1 ^ value &>> 63) }

  /// What a token tells; the upper half of its byte.
  enum Miss: UInt8 {
    case event, fetchSequential, fetchOther, fetchNear, fetchFar, fetchFarther, fetchAnywhere, fetchReturn
    case dataNearLast, dataFarFromLast, dataNear, dataFar, dataFarther, dataAnywhere, dataSized, fetchSized
  }
}
