// SPDX-License-Identifier: MIT
import Events

/// The name and arguments of a SYSCALL line, as valgrind's many wrappers print them.
enum SystemCallArguments {
  /// Reads `name ( a, b(text), … )` into `record`; false when it makes no sense.
  static func parse(_ scan: inout LineScanner, into record: inout SystemCallRecord) -> Bool {
    if scan.has("unimplemented (by the kernel)") { return scan.skip(past: "(ni_syscall)") }
    // A call that valgrind does not know: its warning stands where the name would, and its answer is ENOSYS.
    if scan.has("--"), !scan.has("-->") { return true }
    guard let first = scan.current, first >= 0x61, first <= 0x7A, scan.skip(past: "(") else { return false }
    while true {
      scan.skipSpaces()
      if scan.skip(")") { return true }
      let index = record.arguments.count
      guard index < 8, !scan.isAtEnd else { return false }
      record.arguments.append(value(&scan, isHexadecimal: isHexadecimal(record.number, index)) ?? 0)
      if let text = text(&scan) { record.strings[index] = text }
      scan.skipSpaces()
      if !scan.skip(",") && scan.current != 0x29 { return false }
    }
  }

  /// Arguments that valgrind prints in hexadecimal without `0x`: clone's flags, arch_prctl's address.
  private static func isHexadecimal(_ number: UInt32, _ index: Int) -> Bool {
    (number == 56 && index == 0) || (number == 158 && index == 1)
  }

  /// A number: `0x` and hexadecimal, decimal with or without sign, or bare hexadecimal.
  private static func value(_ scan: inout LineScanner, isHexadecimal: Bool) -> UInt64? {
    if scan.skip("0x") { return scan.hexadecimal() }
    if scan.skip("-") { return scan.decimal().map { 0 &- $0 } }
    let start = scan.position
    guard let digit = scan.current, isHexadecimal || (0x30...0x39).contains(digit) else { return nil }
    if !isHexadecimal, let value = scan.decimal(), scan.current.flatMap(LineScanner.digit) == nil {
      return value
    }
    scan.position = start
    return scan.hexadecimal()
  }

  /// Text in parentheses behind a number, or a word in place of one, up to the separator that follows it.
  private static func text(_ scan: inout LineScanner) -> String? {
    let isInParentheses = scan.skip("(")
    var end = scan.position
    while end < scan.bytes.count {
      let distance = end - scan.position
      if isInParentheses {
        if scan.has("),", ahead: distance) || scan.has(") )", ahead: distance)
          || scan.has("))", ahead: distance)
            && !scan.has(")),", ahead: distance) && !scan.has(")) ", ahead: distance)
        {
          break
        }
      } else if [0x2C, 0x29, 0x20].contains(scan.bytes[end]) {
        break
      }
      end += 1
    }
    let bytes = scan.bytes[scan.position..<end]
    scan.position = end
    if isInParentheses {
      guard scan.skip(")") else { return nil }
    } else if bytes.isEmpty {
      return nil
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
