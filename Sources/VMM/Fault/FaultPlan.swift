// SPDX-License-Identifier: MIT
public import SimMemory

/// What is to be done about a fault: the decision, apart from doing it.
@frozen public enum FaultPlan: Sendable, Equatable, BitwiseCopyable {
  /// Map the shared page of zeroes, read-only.
  case mapZeroPage
  /// Map a fresh zeroed page.
  case mapFreshPage
  /// Map the shared huge page of zeroes, read-only.
  case mapHugeZeroPage
  /// Map a fresh zeroed huge page.
  case mapHugePage
  /// Map the file's page.
  case mapFilePage
  /// Map a private copy of the file's page.
  case mapFileCopy
  /// Give the process a page of its own, or the one it has if nobody else has it.
  case copyOnWrite
  /// The same for a huge page, which may have to be split for it.
  case copyHugeOnWrite
  /// The page may be written where it is.
  case allowWrite
  /// The translation lags behind the mapping's rights.
  case renewRights
  /// Nothing is wrong any more: somebody else resolved it, or the TLB was stale.
  case nothing
  /// Bring the page back from swap.
  case swapIn
  /// A guard page, refused as if nothing were mapped, or a poisoned one.
  case refuseGuard
}

/// What a fault handler sees of the translation at the faulting address.
@frozen public struct FaultView: Sendable, BitwiseCopyable {
  /// Something is recorded there.
  public var isMapped: Bool
  /// The page is in memory.
  public var isPresent: Bool
  /// The page is in swap.
  public var isSwapped: Bool
  /// Loads are allowed by the translation.
  public var isReadable: Bool
  /// Stores are allowed by the translation.
  public var isWritable: Bool
  /// Fetches are allowed by the translation.
  public var isExecutable: Bool
  /// The page is a huge one.
  public var isHuge: Bool
  /// Nothing is recorded in the whole huge page around the address, and the policy wants one there.
  public var takesHugePage: Bool

  /// A view.
  @inlinable
  public init(
    isMapped: Bool, isPresent: Bool, isSwapped: Bool = false, isReadable: Bool, isWritable: Bool,
    isExecutable: Bool, isHuge: Bool = false, takesHugePage: Bool = false
  ) {
    self.isMapped = isMapped
    self.isPresent = isPresent
    self.isSwapped = isSwapped
    self.isReadable = isReadable
    self.isWritable = isWritable
    self.isExecutable = isExecutable
    self.isHuge = isHuge
    self.takesHugePage = takesHugePage
  }
}

extension FaultPlan {
  /// Decides about a fault that `area` allows. After the paper's Figure 10, read from top to bottom.
  @inlinable public static func decide(_ area: VMA, _ view: FaultView, _ kind: AccessKind) -> FaultPlan {
    if !view.isMapped {
      if view.takesHugePage { return kind == .store ? .mapHugePage : .mapHugeZeroPage }
      if area.isAnonymous { return kind == .store ? .mapFreshPage : .mapZeroPage }
      return area.isPrivate && kind == .store ? .mapFileCopy : .mapFilePage
    }
    if !view.isPresent { return view.isSwapped ? .swapIn : .refuseGuard }
    if kind == .store, !view.isWritable {
      return !area.isPrivate ? .allowWrite : view.isHuge ? .copyHugeOnWrite : .copyOnWrite
    }
    if !view.isReadable || kind == .fetch && !view.isExecutable { return .renewRights }
    return .nothing
  }
}
