// SPDX-License-Identifier: MIT
#if Mutations
  internal import Glibc
  public import Synchronization

  /// The number of the planted bug; 0 for none. At the start it is the one that the environment names.
  @usableFromInline let planted = Atomic<UInt8>(Mutation.ofEnvironment?.rawValue ?? 0)
#endif

extension Mutation {
  /// Whether the bug is in force: false at compile time in a build without the trait `Mutations`.
  @inlinable @inline(__always) public var isPlanted: Bool {
    #if Mutations
      planted.load(ordering: .relaxed) == rawValue
    #else
      false
    #endif
  }

  /// Whether this build can plant bugs: whether it was made with the trait `Mutations`.
  public static var isAvailable: Bool {
    #if Mutations
      true
    #else
      false
    #endif
  }

  /// The environment variable that names the bug that is in force from the start.
  public static var environmentVariable: String { "EMT_MUTATION" }

  /// The bug that is in force; nil for none.
  public static var current: Mutation? { allCases.first(where: \.isPlanted) }

  /// Puts one bug in force for the whole process, or with nil none. To be called before anything else runs: what was made
  /// under another bug is not made again.
  /// - Precondition: the build can plant bugs, or `mutation` is nil.
  public static func plant(_ mutation: Mutation?) {
    #if Mutations
      planted.store(mutation?.rawValue ?? 0, ordering: .relaxed)
    #else
      precondition(mutation == nil, "a build without the trait Mutations can plant no bug")
    #endif
  }

  #if Mutations
    /// The bug that the environment names.
    ///
    /// SAFETY: the string lives as long as nobody changes the environment, and it is copied at once.
    static var ofEnvironment: Mutation? {
      guard let text = unsafe getenv(environmentVariable) else { return nil }
      let name = unsafe String(cString: text)
      guard !name.isEmpty else { return nil }
      guard let mutation = Mutation(named: name) else {
        preconditionFailure("\(environmentVariable) names no bug: '\(name)'")
      }
      return mutation
    }
  #endif
}
