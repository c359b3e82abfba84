// SPDX-License-Identifier: MIT
public import Events
import SimMemory

/// An event as a payload stores it.
@usableFromInline enum StoredEvent {
  case event(TraceEvent)
  case item(ProcessItem)
  case opening(ProcessOpening)
  case endOfBlock
  case endOfTrace
}

/// Events to bytes.
enum EventEncoding {
  static func bytes(_ event: TraceEvent) -> [UInt8] {
    switch event {
    case .run(let process, let thread): words(.run, [UInt64(process), UInt64(thread)])
    case .start(let process, let isFresh): words(.start, [UInt64(process), isFresh ? 1 : 0])
    case .fork(let child, let kind): words(.fork, [UInt64(child), UInt64(kind.rawValue)])
    case .systemCall(let record): call(.systemCall, record, [])
    case .refused(let refusal): bytes(refusal)
    case .stackGrown(let address, let base): words(.stackGrown, [address.raw, base.raw])
    case .exec: words(.exec, [])
    case .exit: words(.exit, [])
    }
  }

  static func bytes(_ item: ProcessItem) -> [UInt8]? {
    switch item {
    case .access, .starved: nil
    case .call(let record, let thread): call(.call, record, [UInt64(thread)])
    case .refused(let refusal): bytes(refusal)
    case .stackGrown(let address, let base): bytes(TraceEvent.stackGrown(faultAddress: address, base: base))
    case .signal(let signal, let isSent): words(.signal, [UInt64(signal), isSent ? 1 : 0])
    case .exec: words(.exec, [])
    case .end(let isComplete): words(.end, [isComplete ? 1 : 0])
    }
  }

  static func bytes(_ opening: ProcessOpening) -> [UInt8] { words(.opening, [UInt64(opening.rawValue)]) }

  private static func bytes(_ refusal: Refusal) -> [UInt8] {
    let head = [UInt64(refusal.signal.rawValue), UInt64(refusal.code), refusal.address == nil ? 0 : 1]
    return words(.refused, head + (refusal.address.map { [$0.raw] } ?? []))
  }

  private static func words(_ tag: EmtraceFormat.Tag, _ words: [UInt64]) -> [UInt8] {
    var bytes = [tag.rawValue]
    for word in words { bytes.appendVarint(word) }
    return bytes
  }

  private static func call(_ tag: EmtraceFormat.Tag, _ record: SystemCallRecord, _ head: [UInt64]) -> [UInt8]
  {
    let (answer, value): (UInt64, UInt64) =
      switch record.answer {
      case .success(let value): (0, value)
      case .failure(let number): (1, UInt64(number))
      case .unknown: (2, 0)
      }
    let fields = [UInt64(record.number), answer, value, UInt64(record.origin.rawValue)]
    var bytes = words(tag, head + fields + [UInt64(record.arguments.count)] + record.arguments)
    bytes.appendVarint(UInt64(record.strings.count))
    for (index, text) in record.strings.sorted(by: { $0.key < $1.key }) {
      bytes.appendVarint(UInt64(bitPattern: Int64(index)))
      bytes.appendVarint(UInt64(text.utf8.count))
      bytes += text.utf8
    }
    return bytes
  }
}

/// Bytes to events; nil for bytes that no writer makes.
struct EventDecoding {
  let bytes: ArraySlice<UInt8>
  private(set) var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  mutating func next() -> StoredEvent? {
    guard let byte = byte(), let tag = EmtraceFormat.Tag(rawValue: byte) else { return nil }
    switch tag {
    case .endOfBlock: return .endOfBlock
    case .run: return pair().map { .event(.run(process: $0, thread: $1)) }
    case .start: return pair().map { .event(.start(process: $0, isFreshImage: $1 != 0)) }
    case .fork:
      guard let (child, raw) = pair(), let kind = UInt8(exactly: raw).flatMap(ForkKind.init) else {
        return nil
      }
      return .event(.fork(child: child, kind: kind))
    case .systemCall: return call().map { .event(.systemCall($0)) }
    case .refused: return refusal()
    case .stackGrown:
      guard let address = varint(), let base = varint() else { return nil }
      return .event(.stackGrown(faultAddress: VirtualAddress(address), base: VirtualAddress(base)))
    case .exec: return .event(.exec)
    case .exit: return .event(.exit)
    case .call:
      guard let thread = number(), let record = call() else { return nil }
      return .item(.call(record, thread: thread))
    case .signal: return pair().map { .item(.signal($0, sent: $1 != 0)) }
    case .end: return number().map { .item(.end(isComplete: $0 != 0)) }
    case .opening:
      return number().flatMap { UInt8(exactly: $0) }.flatMap(ProcessOpening.init).map { .opening($0) }
    }
  }

  private mutating func refusal() -> StoredEvent? {
    guard let (raw, code) = pair(), let signal = UInt8(exactly: raw).flatMap(Refusal.Signal.init),
      let isNamed = number()
    else { return nil }
    var address: VirtualAddress?
    if isNamed != 0 {
      guard let raw = varint() else { return nil }
      address = VirtualAddress(raw)
    }
    return .event(.refused(Refusal(signal: signal, code: code, address: address)))
  }

  private mutating func call() -> SystemCallRecord? {
    guard let number = number(), let kind = varint(), let value = varint(), let raw = varint(),
      let origin = UInt8(exactly: raw).flatMap(SystemCallRecord.Origin.init), let count = varint(),
      count <= 64
    else { return nil }
    let answer: SystemCallRecord.Answer
    switch kind {
    case 0: answer = .success(value)
    case 1: answer = .failure(UInt32(truncatingIfNeeded: value))
    case 2: answer = .unknown
    default: return nil
    }
    var record = SystemCallRecord(number: number, arguments: [], answer: answer, origin: origin)
    for _ in 0..<count {
      guard let argument = varint() else { return nil }
      record.arguments.append(argument)
    }
    guard let texts = varint(), texts <= 64 else { return nil }
    for _ in 0..<texts {
      guard let index = varint(), let length = varint(), length <= UInt64(bytes.endIndex - position) else {
        return nil
      }
      let end = position + Int(length)
      record.strings[Int(Int64(bitPattern: index))] = String(decoding: bytes[position..<end], as: UTF8.self)
      position = end
    }
    return record
  }

  private mutating func byte() -> UInt8? {
    guard position < bytes.endIndex else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func number() -> UInt32? { varint().flatMap { UInt32(exactly: $0) } }
  private mutating func pair() -> (UInt32, UInt32)? {
    guard let first = number(), let second = number() else { return nil }
    return (first, second)
  }

  private mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while let byte = byte(), shift < 64 {
      value |= UInt64(byte & 127) &<< shift
      if byte < 128 { return value }
      shift += 7
    }
    return nil
  }
}
