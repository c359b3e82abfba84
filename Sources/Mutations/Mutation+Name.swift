// SPDX-License-Identifier: MIT

extension Mutation {
  /// The name by which a run chooses the bug: that of the case, in lower case, with hyphens.
  public var name: String {
    var name = ""
    var wasLower = false
    let letters = Array(String(describing: self))
    for (index, letter) in letters.enumerated() {
      let endsWord = index + 1 < letters.count && letters[index + 1].isLowercase
      if letter.isUppercase, wasLower || endsWord { name += "-" }
      name += letter.lowercased()
      wasLower = letter.isLowercase
    }
    return name
  }

  /// The bug with a name; nil when there is none.
  public init?(named name: some StringProtocol) {
    guard let mutation = Mutation.allCases.first(where: { $0.name == name }) else { return nil }
    self = mutation
  }
}
