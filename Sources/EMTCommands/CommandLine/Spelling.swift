// SPDX-License-Identifier: MIT

/// Finds what somebody meant.
enum Spelling {
  /// The candidate that is nearest to `word`, if it is near enough to be a misspelling.
  static func nearest(to word: String, in candidates: [String]) -> String? {
    let ranked = candidates.map { ($0, distance(word, $0)) }.min { $0.1 < $1.1 }
    guard let (candidate, distance) = ranked, distance <= max(1, word.count / 3) else { return nil }
    return candidate
  }

  /// Levenshtein distance.
  static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var previous = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let best = min(previous + (x == y ? 0 : 1), row[j] + 1, row[j + 1] + 1)
        previous = row[j + 1]
        row[j + 1] = best
      }
    }
    return row[b.count]
  }
}
