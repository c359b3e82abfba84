// SPDX-License-Identifier: MIT

/// A pattern with `*` for any text and `?` for any character, as shells have them. Case does not matter.
struct Glob {
  private let pattern: [Character]

  init(_ pattern: String) { self.pattern = Array(pattern.lowercased()) }

  /// Whether the whole of `text` fits.
  func matches(_ text: String) -> Bool {
    let text = Array(text.lowercased())
    var (at, place) = (0, 0)
    // Where the last `*` was, and how much of the text it has taken: the way back when a guess was wrong.
    var (star, taken) = (-1, 0)
    while place < text.count {
      if at < pattern.count, pattern[at] == "*" {
        (star, taken) = (at, place)
        at += 1
      } else if at < pattern.count, pattern[at] == "?" || pattern[at] == text[place] {
        (at, place) = (at + 1, place + 1)
      } else if star >= 0 {
        taken += 1
        (at, place) = (star + 1, taken)
      } else {
        return false
      }
    }
    return pattern[at...].allSatisfy { $0 == "*" }
  }
}
