// SPDX-License-Identifier: MIT
public import VMM

/// MPOL_*: modes of memory policies, and the flags that are added to them.
public enum Policy {
  /// MPOL_DEFAULT.
  public static let standard: UInt64 = 0
  /// MPOL_PREFERRED.
  public static let preferred: UInt64 = 1
  /// MPOL_BIND.
  public static let bind: UInt64 = 2
  /// MPOL_INTERLEAVE.
  public static let interleave: UInt64 = 3
  /// MPOL_LOCAL.
  public static let local: UInt64 = 4
  /// MPOL_PREFERRED_MANY.
  public static let preferredMany: UInt64 = 5
  /// MPOL_WEIGHTED_INTERLEAVE.
  public static let weighted: UInt64 = 6
  /// MPOL_F_STATIC_NODES.
  public static let staticNodes: UInt64 = 0x8000
  /// MPOL_F_RELATIVE_NODES.
  public static let relativeNodes: UInt64 = 0x4000
}

/// MPOL_MF_*: what `mbind` and `move_pages` do with pages that are there.
public enum MoveFlags {
  /// MPOL_MF_STRICT: they must be where the policy wants them.
  public static let strict: UInt64 = 1
  /// MPOL_MF_MOVE: the process's own are moved.
  public static let move: UInt64 = 2
  /// MPOL_MF_MOVE_ALL: shared ones too.
  public static let moveAll: UInt64 = 4
}

// NUMA nodes: policies, and where pages are. The room for structures holds masks and vectors.
extension Program {
  /// Puts a mask of nodes into the room for structures.
  /// - Returns: its address.
  public func mask(_ nodes: [Int], at offset: UInt64 = 0) -> UInt64 {
    put([nodes.reduce(0) { $0 | 1 << UInt64($1) }], at: 9 * page + offset)
  }

  /// `set_mempolicy`; without nodes the mask is NULL.
  public func setPolicy(_ mode: UInt64, _ nodes: [Int] = []) throws(Errno) {
    try call(
      .setMempolicy, ["mode": mode, "mask": nodes.isEmpty ? 0 : mask(nodes), "bits": nodes.isEmpty ? 0 : 65])
  }

  /// `mbind`; without nodes the mask is NULL.
  public func bind(
    _ address: UInt64, pages: UInt64, _ mode: UInt64, _ nodes: [Int] = [], flags: UInt64 = 0
  ) throws(Errno) {
    try call(
      .mbind,
      [
        "address": address, "bytes": pages * page, "mode": mode, "mask": nodes.isEmpty ? 0 : mask(nodes),
        "bits": nodes.isEmpty ? 0 : 65, "flags": flags,
      ])
  }

  /// `get_mempolicy`, of the task, or of the page at an address (MPOL_F_ADDR), or the nodes that are allowed
  /// (MPOL_F_MEMS_ALLOWED 4), must tell this.
  public func expectPolicy(
    _ mode: UInt64, _ nodes: [Int] = [], at address: UInt64? = nil, flags: UInt64 = 0
  ) {
    let answer = put([0, .max], at: 10 * page)
    expectSuccess("get_mempolicy") {
      try call(
        .getMempolicy,
        [
          "mode": answer, "mask": answer + 8, "bits": 65, "address": address ?? 0,
          "flags": flags | (address == nil ? 0 : 2),
        ])
    }
    let bits = loadWord(answer + 8)
    let found = (0..<64).filter { bits >> UInt64($0) & 1 == 1 }
    expect("\(loadWord(answer, bytes: 4)) \(found)", "\(mode) \(nodes)", "mode and nodes of the policy")
  }

  /// `move_pages`; without nodes it asks where pages are.
  /// - Returns: the status of each page: its node, or an errno as a negative number.
  public func movePages(
    _ addresses: [UInt64], to nodes: [Int]? = nil, of other: Program? = nil, flags: UInt64 = MoveFlags.move
  ) throws(Errno) -> [Int] {
    let pages = put(addresses, at: 11 * page)
    let wanted = scratch(12 * page)
    let status = scratch(12 * page + 2048)
    for index in addresses.indices {
      if let nodes {
        storeWord(wanted + UInt64(index) * 4, UInt64(bitPattern: Int64(nodes[index])), bytes: 4)
      }
      storeWord(status + UInt64(index) * 4, 0x7777, bytes: 4)
    }
    try call(
      .movePages,
      [
        "pid": UInt64(other?.pid ?? 0), "count": addresses.count, "pages": pages,
        "nodes": nodes == nil ? 0 : wanted, "status": status, "flags": flags,
      ])
    return addresses.indices.map {
      Int(Int32(truncatingIfNeeded: loadWord(status + UInt64($0) * 4, bytes: 4)))
    }
  }

  /// `migrate_pages`.
  /// - Returns: how many pages did not move.
  @discardableResult
  public func migratePages(of other: Program? = nil, from old: [Int], to new: [Int]) throws(Errno) -> UInt64 {
    try call(
      .migratePages,
      ["pid": UInt64(other?.pid ?? 0), "bits": 65, "old": mask(old), "new": mask(new, at: 64)])
  }

  /// The nodes of `pages` pages; -1 for one that is not in memory.
  public func nodes(_ address: UInt64, pages: UInt64) -> [Int] {
    (0..<pages).map { node(address + $0 * page) ?? -1 }
  }

  /// All of `pages` pages must be on one node.
  public func expectNode(_ expected: Int, _ address: UInt64, pages: UInt64 = 1) {
    let found = nodes(address, pages: pages)
    if found.contains(where: { $0 != expected }) {
      scenario.fail("\(pages) pages at \(address.text) on node \(expected)", "\(found)")
    }
  }

  /// `cpuset.mems`, with `cpuset.memory_migrate` or without.
  public func allow(_ nodes: [Int], migrates: Bool = false) throws(Errno) {
    try act("allowed nodes \(nodes)\(migrates ? ", pages move" : "")") { () throws(Errno) in
      let set = NodeSet(nodes.reduce(0) { $0 | 1 << UInt64($1) })
      try host.allow(pid, set, migrates: migrates)
    }
  }
}
