// SPDX-License-Identifier: MIT

/// What the naive model knows of one page of an address space.
public struct ModelPage: Sendable {
  /// The process's own contents: nil while the file's are seen, never nil without a file.
  public var own: ModelContents?
  private var fileNumber: Int32 = -1
  private var filePage: UInt32 = 0
  /// PROT_* bits.
  public var rights: UInt8
  /// Whether stores reach the file.
  public var isShared: Bool
  /// MADV_FREE was said and nothing was stored since: the contents may be zero from now on.
  public var mayVanish = false
  /// Children find it zeroed.
  public var isWipedOnFork = false
  /// Children do not have it.
  public var isKeptFromFork = false
  /// Guarded: accesses are refused.
  public var isGuard = false
  /// Locked into memory.
  public var isLocked = false
  /// Locked pages come when they are touched, not at once.
  public var isLockedOnFault = false
  /// `mseal` forbade changes.
  public var isSealed = false
  /// Whether the right to store may be given.
  public var mayWrite = true
  /// Attached with `shmat`.
  public var isSegment = false

  /// The protection key.
  public var key: UInt8 = 0

  /// Private anonymous memory that holds zeroes.
  public init(rights: UInt8) {
    self.rights = rights
    isShared = false
    own = ModelContents()
  }

  /// A page of a file.
  public init(rights: UInt8, file: Int, page: UInt64, isShared: Bool) {
    self.rights = rights
    self.isShared = isShared
    self.file = (file, page)
  }

  /// The file and its page that the mapping shows; nil for private anonymous memory.
  public var file: (number: Int, page: UInt64)? {
    get { fileNumber < 0 ? nil : (Int(fileNumber), UInt64(filePage)) }
    set {
      fileNumber = newValue.map { Int32($0.number) } ?? -1
      filePage = newValue.map { UInt32($0.page) } ?? 0
    }
  }

  /// The page without contents of its own: as after MADV_DONTNEED.
  public mutating func drop() {
    if own != nil { own = fileNumber < 0 ? ModelContents() : nil }
    mayVanish = false
  }

  /// The page behind this one in a mapping that grows.
  public var successor: ModelPage {
    var next = self
    if fileNumber >= 0 { next.filePage += 1 }
    next.isGuard = false
    next.drop()
    return next
  }
}
