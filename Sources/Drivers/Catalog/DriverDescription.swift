// SPDX-License-Identifier: MIT
public import EMTCore

/// What people see of a driver.
public struct DriverDescription: Sendable, Equatable {
  /// The name on the command line.
  public var name: String
  /// One line: what kind of table it is.
  public var summary: String
  /// How its walker walks, in words.
  public var walk: String
  /// The page sizes that it offers.
  public var pageSizes: PageSizes
  /// The options that it understands, by name, with an explanation.
  public var options: [String: String]
  /// The sets of options that tests run the driver with.
  public var testedOptions: [[String: String]]

  /// Describes a driver.
  public init(
    name: String, summary: String, walk: String, pageSizes: PageSizes, options: [String: String] = [:],
    testedOptions: [[String: String]] = [[:]]
  ) {
    self.name = name
    self.summary = summary
    self.walk = walk
    self.pageSizes = pageSizes
    self.options = options
    self.testedOptions = testedOptions
  }
}
