// SPDX-License-Identifier: MIT
public import ClusterTable
public import EMTCore
public import MMU
public import SimMemory
internal import Synchronization
internal import Testing
internal import X86Object

/// Walks every page after every single store of the driver.
public final class Stepper<Service: ClusterService, Walker: PageWalker>: Sendable
where Walker.Root == Service.Root {
  /// What it watches.
  public typealias Rig = ClusterRig<Service, Walker>
  private struct State {
    var mapped: [UInt64: UInt64] = [:]
    var inFlight: UInt64?
    var steps = 0
    var wrong: [String] = []
  }
  private let state = Mutex(State())
  private let rig: Rig

  /// A stepper that knows of no page yet.
  public init(_ rig: Rig) { self.rig = rig }

  /// Stores that were looked at.
  public var steps: Int { state.withLock { $0.steps } }
  /// The first few pages that were not found where they are.
  public var wrong: [String] { state.withLock { $0.wrong } }

  private func check() {
    state.withLock { state in
      state.steps += 1
      for (page, frame) in state.mapped where page != state.inFlight {
        let address = VirtualAddress(page << 12)
        // With walk caches and bits, as the hardware does it, and without.
        let found = rig.walker.walk(rig.root, address, .load, isUser: true).translation?.physical(address)
        let probed = rig.frame(page)
        if found?.raw != frame << 12 || probed != frame, state.wrong.count < 3 {
          state.wrong.append("page \(page) at frame \(frame) was found at \(probed ?? 0)")
        }
      }
    }
  }

  /// Runs `body` while a store to any table word is followed by a check.
  public func watch(_ body: () throws -> Void) rethrows {
    let log = AccessLog { [self] access in
      if access.kind == .store, access.agent == .software { check() }
    }
    rig.machine.memory.attach(log: log)
    defer { rig.machine.memory.attach(log: nil) }
    try body()
  }

  /// Inserts a page, which must be found at every store from then on.
  public func insert(_ page: UInt64, _ frame: UInt64, _ size: PageSize = .base) throws {
    let first = page << UInt64(size.shift - 12)
    state.withLock { $0.inFlight = first }
    try rig.insert(Rig.page(page, frame, size))
    state.withLock {
      $0.mapped[first] = frame << UInt64(size.shift - 12)
      $0.inFlight = nil
    }
  }

  /// Removes a page, which need not be found at any store from now on.
  public func remove(_ page: UInt64, _ size: PageSize = .base) throws {
    let first = page << UInt64(size.shift - 12)
    state.withLock { $0.inFlight = first }
    try rig.remove(Rig.page(page, 0, size))
    state.withLock {
      $0.mapped[first] = nil
      $0.inFlight = nil
    }
  }

  /// Removes the pages of `range` with the range function.
  public func removeAll(_ range: VirtualRange) throws {
    state.withLock { $0.mapped = $0.mapped.filter { !range.contains(VirtualAddress($0.key << 12)) } }
    rig.database.settle(try rig.database.removeAll(in: range) { _ in })
  }
}

extension ClusterRig {
  /// Runs `body`; at its store number `moment` the hardware stores to every page of `pages`.
  /// - Returns: whether there was such a store.
  public func storing(to pages: [UInt64], at moment: Int, _ body: () throws -> Void) rethrows -> Bool {
    let stores = Mutex(0)
    let log = AccessLog { [self] access in
      guard access.kind == .store, access.agent == .software else { return }
      let isNow = stores.withLock { count in
        count += 1
        return count - 1 == moment
      }
      guard isNow else { return }
      for page in pages { _ = walker.walk(root, VirtualAddress(page << 12), .store, isUser: true) }
    }
    machine.memory.attach(log: log)
    defer { machine.memory.attach(log: nil) }
    try body()
    return stores.withLock { $0 } > moment
  }
}
