// SPDX-License-Identifier: MIT

/// Numbers for people.
enum Units {
  /// `64M`, `16GiB`, `4096`: bytes with a binary unit.
  static func bytes(_ text: String) -> UInt64? {
    let upper = text.uppercased()
    let digits = upper.prefix { $0.isNumber }
    guard let number = UInt64(digits), !digits.isEmpty else { return nil }
    let shifts: [String: UInt64] = ["": 0, "K": 10, "M": 20, "G": 30, "T": 40]
    var unit = String(upper.dropFirst(digits.count))
    for suffix in ["IB", "B"] where unit.hasSuffix(suffix) && unit.count >= suffix.count {
      unit.removeLast(suffix.count)
      break
    }
    guard let shift = shifts[unit], number <= UInt64.max >> shift else { return nil }
    return number << shift
  }

  /// Bytes with the largest unit that keeps three digits.
  static func text(bytes: UInt64) -> String {
    var value = Double(bytes)
    var unit = 0
    let names = ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= 1024, unit < names.count - 1 {
      value /= 1024
      unit += 1
    }
    return unit == 0
      ? "\(bytes) B" : decimal(value, places: value < 10 ? 2 : value < 100 ? 1 : 0) + " " + names[unit]
  }

  /// Digits in groups of three.
  static func grouped(_ number: UInt64) -> String {
    var groups: [String] = []
    var rest = String(number)
    while rest.count > 3 {
      groups.insert(String(rest.suffix(3)), at: 0)
      rest.removeLast(3)
    }
    return ([rest] + groups).joined(separator: ",")
  }

  /// A number with `places` digits behind the point.
  static func decimal(_ value: Double, places: Int) -> String {
    guard value.isFinite else { return "-" }
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = (value.magnitude * scale).rounded()
    guard scaled < 1e15 else { return String(value) }
    let whole = UInt64(scaled) / UInt64(scale)
    let rest = UInt64(scaled) % UInt64(scale)
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard places > 0 else { return sign + String(whole) }
    let fraction = String(rest)
    return sign + "\(whole)." + String(repeating: "0", count: places - fraction.count) + fraction
  }
}
