// SPDX-License-Identifier: MIT

/// Why an attribute could not be read or written.
@frozen public enum AttributeError: Error, Equatable, Sendable {
  /// The driver has no such attribute.
  case unknown(TranslationAttribute)
  /// The entry format cannot hold the value: too wide, or not a value of this attribute.
  case unrepresentable(TranslationAttribute, value: UInt64)
}
