// SPDX-License-Identifier: MIT

/// What a kernel answered to a step, and how memory looked to the process afterwards.
struct HostAnswer: Equatable, Sendable {
  /// How the step ended.
  enum Outcome: Equatable, Sendable {
    /// A result, and a digest of what was written to memory that the program does not see.
    case result(Int64, digest: UInt64)
    /// Refused with an errno.
    case refused(UInt32)
    /// A signal and its code.
    case signal(Int32, code: Int32)
    /// A mapping was put outside of the window, and taken away from there.
    case elsewhere
    /// The step was never reached.
    case missing
  }
  var outcome = Outcome.missing
  /// What is mapped in the window.
  var areas: [HostArea] = []
  /// The state of the window's first pages, see `HostPage`.
  var pages = [HostPage](repeating: [], count: Int(HostWindow.pages))
}

/// One area of the window, as /proc/PID/smaps has it.
struct HostArea: Equatable, Sendable {
  var start: UInt64 = 0
  var end: UInt64 = 0
  /// 0 for private anonymous memory.
  var offset: UInt64 = 0
  /// Readable 1, writable 2, executable 4, shared 8.
  var rights: UInt32 = 0
  /// The words of VmFlags that are compared, see CHost.h.
  var flags: UInt32 = 0
  /// The step that made the file; negative for other files and for none.
  var file: Int32 = 0
  /// Bytes in memory.
  var resident: UInt64 = 0
  /// Bytes of no file.
  var anonymous: UInt64 = 0
}

/// What /proc/PID/pagemap says of one page.
struct HostPage: OptionSet, Sendable, Hashable {
  let rawValue: UInt8
  static var present: Self { Self(rawValue: 1) }
  /// In swap, or a guard.
  static var swapped: Self { Self(rawValue: 2) }
  /// A page of a file.
  static var file: Self { Self(rawValue: 4) }
  /// Mapped once.
  static var exclusive: Self { Self(rawValue: 8) }
  /// The same, nothing for pages of files.
  var ownPage: Self { contains(.file) ? [] : self }
}

extension HostAnswer {
  /// What differs; nil when nothing does.
  ///
  /// Areas are compared after neighbours that are alike were joined: Linux leaves areas of a child apart that fork made
  /// alike, and the simulated kernel joins them. Which pages of files are mapped is not compared: reading ahead decides.
  func difference(from other: HostAnswer) -> String? {
    let (mine, others) = (HostArea.joined(areas), HostArea.joined(other.areas))
    if outcome != other.outcome { return "the answer" }
    if mine.map(\.place) != others.map(\.place) { return "the areas" }
    if mine.map(\.flags) != others.map(\.flags) { return "the areas' flags" }
    if pages.map(\.ownPage) != other.pages.map(\.ownPage) { return "the pages" }
    if mine.map(\.anonymous) != others.map(\.anonymous) { return "the areas' memory" }
    return nil
  }

  /// For reports.
  var text: String { ([outcome.text] + areas.map(\.text) + [pagesText]).joined(separator: "\n      ") }

  private var pagesText: String {
    let used = pages.prefix((pages.lastIndex { !$0.isEmpty } ?? -1) + 1)
    return "pages (1 present, 2 swap or guard, 4 file, 8 mapped once, in hexadecimal): "
      + used.map { $0.isEmpty ? "." : String($0.rawValue, radix: 16) }.joined()
  }
}

extension HostAnswer.Outcome {
  /// For reports.
  var text: String {
    switch self {
    case .result(let value, let digest):
      HostStep.text(UInt64(bitPattern: value)) + (digest == 0 ? "" : ", bytes 0x\(String(digest, radix: 16))")
    case .refused(let number): HostAnswer.errnoName(number)
    case .signal(let number, let code): "\(number == 7 ? "SIGBUS" : "SIGSEGV"), code \(code)"
    case .elsewhere: "a place outside of the window"
    case .missing: "nothing"
    }
  }
}

extension HostArea {
  /// The list with neighbours that are alike made one.
  static func joined(_ areas: [HostArea]) -> [HostArea] {
    areas.reduce(into: []) { list, area in
      guard let last = list.last, last.end == area.start, last.rights == area.rights,
        last.flags == area.flags,
        last.file == area.file, area.file == -1 || last.offset + (last.end - last.start) == area.offset
      else { return list.append(area) }
      list[list.count - 1].end = area.end
      list[list.count - 1].resident += area.resident
      list[list.count - 1].anonymous += area.anonymous
    }
  }

  /// The part that /proc/PID/maps shows.
  var place: [UInt64] { [start, end, offset, UInt64(rights), UInt64(bitPattern: Int64(file))] }

  /// For reports.
  var text: String {
    let letters = zip("rwx", [1, 2, 4] as [UInt32]).map { rights & $1 != 0 ? String($0) : "-" }.joined()
    let names = HostArea.flagNames.enumerated().filter { flags >> UInt32($0.offset) & 1 == 1 }.map(\.element)
    let owner =
      switch file {
      case -1: "anonymous"
      case -2: "shared anonymous, offset \(offset >> 12)"
      case -3: "another file"
      default: "file of step \(file + 1), offset \(offset >> 12)"
      }
    return "\(HostStep.text(start))…\(HostStep.text(end)) \(letters)\(rights & 8 != 0 ? "s" : "p") \(owner)"
      + " [\(names.joined(separator: " "))] \(resident >> 12) resident, \(anonymous >> 12) anonymous"
  }

  /// The words of VmFlags, by bit.
  static var flagNames: [String] {
    [
      "mr", "mw", "me", "gd", "lo", "sr", "rr", "dc", "ac", "nr", "wf", "dd", "mg", "sl", "dp", "hg", "nh",
    ]
  }
}
