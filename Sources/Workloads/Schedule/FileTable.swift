// SPDX-License-Identifier: MIT

/// The open files of a process, as far as pipes need it.
///
/// A trace does not say which numbers `pipe` returned, but the kernel hands out the lowest free ones; the
/// table therefore follows every call that opens or closes. A number below one that the kernel chose must
/// be taken, too.
struct FileTable {
  /// What a number stands for.
  enum Entry: Equatable {
    case other
    case readEnd(pipe: Int)
    case writeEnd(pipe: Int)
  }

  private(set) var entries: [UInt64: Entry] = [0: .other, 1: .other, 2: .other]

  subscript(number: UInt64) -> Entry? {
    get { entries[number] }
    set { entries[number] = newValue }
  }

  /// The kernel chose `number` as the lowest free one.
  mutating func opened(_ number: UInt64, as entry: Entry = .other) {
    guard number < 65_536 else { return }
    for lower in 0..<number where entries[lower] == nil { entries[lower] = .other }
    entries[number] = entry
  }

  /// Takes the lowest free number.
  mutating func openLowest(as entry: Entry) {
    var number: UInt64 = 0
    while entries[number] != nil { number += 1 }
    entries[number] = entry
  }

  func canWrite(pipe: Int) -> Bool { entries.values.contains(.writeEnd(pipe: pipe)) }

  /// An image of unknown doings: keeps numbers, forgets pipes.
  mutating func forgetPipes() { for number in entries.keys { entries[number] = .other } }
}
