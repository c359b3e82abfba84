// SPDX-License-Identifier: MIT
public import Events
public import SimMemory

extension LackeyReader {
  /// Feeds accesses to `sink` until something else comes up.
  @inlinable
  public func next<Sink: EventSink>(into sink: inout Sink) throws(FeedFailure<Sink.Stop>) -> ProcessItem {
    while true {
      if hasPending { return takePending() }
      if !staysSlow { try pump(into: &sink) }
      do throws(TraceError) { try slowLine() } catch { throw .trace(error) }
    }
  }

  /// Parses plain records for as long as they are well formed and in the buffer; stops in front of anything
  /// else.
  ///
  /// No bounds checks per byte: the zero bytes behind the data stop every loop, and a record that reaches
  /// them is left to the slow path.
  @inlinable
  func pump<Sink: EventSink>(into sink: inout Sink) throws(FeedFailure<Sink.Stop>) {
    let base = unsafe input.base
    let nibbles = unsafe HexTable.nibbles
    var start = input.position
    let end = input.end
    var count: UInt64 = 0
    defer {
      input.position = start
      line &+= count
      records &+= count
    }
    while start < end {
      let record = unsafe base + start
      let first = unsafe record[0]
      let letter: UInt8
      if unsafe first == 0x49 && record[1] == 0x20 && record[2] == 0x20 {
        letter = first
      } else if unsafe first == 0x20 && record[2] == 0x20 {
        letter = unsafe record[1]
        guard letter == 0x4C || letter == 0x53 || letter == 0x4D else { return }
      } else {
        return
      }
      var index = 3
      var address: UInt64 = 0
      while true {
        let nibble = unsafe nibbles[Int(record[index])]
        if nibble > 15 { break }
        address = address &<< 4 | UInt64(nibble)
        index &+= 1
      }
      guard index > 3, index <= 19, unsafe record[index] == 0x2C else { return }
      index &+= 1
      var size: UInt32 = 0
      let firstDigit = index
      while true {
        let digit = unsafe record[index] &- 0x30
        if digit > 9 { break }
        size = size &* 10 &+ UInt32(digit)
        index &+= 1
      }
      guard
        unsafe record[index] == 0x0A, index &- firstDigit <= 4, size &- 1 < 4096,
        address <= UInt64.max &- UInt64(size &- 1)
      else { return }
      start &+= index &+ 1
      count &+= 1
      let target = VirtualAddress(address)
      do throws(Sink.Stop) {
        switch letter {
        case 0x49: try sink.access(.fetch, target, size: size)
        case 0x4C: try sink.access(.load, target, size: size)
        case 0x53: try sink.access(.store, target, size: size)
        default:
          try sink.access(.load, target, size: size)
          try sink.access(.store, target, size: size)
        }
      } catch {
        throw .sink(error)
      }
    }
  }
}

/// Values of hexadecimal digits by character code; 255 for every other character.
@usableFromInline enum HexTable {
  @usableFromInline nonisolated(unsafe) static let nibbles: UnsafePointer<UInt8> = {
    let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
    for code in 0..<256 { unsafe table[code] = LineScanner.digit(UInt8(code)).map { UInt8($0) } ?? 255 }
    return unsafe UnsafePointer(table)
  }()
}
