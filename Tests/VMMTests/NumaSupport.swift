// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import VMM

/// Where tests of memory policies keep masks and arrays, and where their data are.
let numaArguments: UInt64 = 0x10_0000_0000
let numaData: UInt64 = 0x20_0000_0000

/// Modes and flags of policies, as programs write them.
enum Mode {
  static let standard: UInt64 = 0
  static let preferred: UInt64 = 1
  static let bind: UInt64 = 2
  static let interleave: UInt64 = 3
  static let local: UInt64 = 4
  static let preferredMany: UInt64 = 5
  static let weighted: UInt64 = 6
  static let staticNodes: UInt64 = 0x8000
  static let relativeNodes: UInt64 = 0x4000
  static let balancing: UInt64 = 0x2000
}

extension Computer {
  /// A computer with four nodes of 16 MiB and a CPU each, and room for arguments.
  static func ofNodes(_ nodes: Int = 4, bytes: UInt64 = 64 << 20, hugePages: HugePagePolicy = .never) throws
    -> Computer
  {
    let computer = try Computer(
      bytes: bytes, hugePages: HugePageSettings(policy: hugePages), nodes: nodes, cpus: nodes)
    _ = try computer.map(8, at: numaArguments, flags: 0x32)
    return computer
  }

  /// Stores a mask of nodes and returns its address.
  func mask(_ nodes: Int..., at offset: UInt64 = 0, in other: Proc? = nil) -> UInt64 {
    storeWord(numaArguments + offset, nodes.reduce(0) { $0 | 1 << UInt64($1) }, in: other)
    return numaArguments + offset
  }

  /// The node of the page at an address, nil when it is not in memory.
  func node(_ address: UInt64, in other: Proc? = nil) -> Int? {
    kernel.node(ofPageAt: VirtualAddress(address), in: (other ?? process).space)
  }

  /// The nodes of `count` pages.
  func nodes(_ address: UInt64, _ count: UInt64, in other: Proc? = nil) -> [Int?] {
    (0..<count).map { node(address + $0 * page, in: other) }
  }

  /// The process runs on a CPU from now on.
  func run(on cpu: Int, _ other: Proc? = nil) throws {
    let database = (other ?? process).space.database
    for old in 0..<owner.platform.cpuCount where database.context.runningOn >> UInt64(old) & 1 == 1 {
      _ = try kernel.service.switchTo(kernel.service.kernelDatabase, on: old)
    }
    _ = try kernel.service.switchTo(database, on: cpu)
  }

  /// Stores a different byte in each of `count` pages.
  func fill(_ address: UInt64, _ count: UInt64, from first: UInt64 = 1, in other: Proc? = nil) {
    for number in 0..<count {
      let value = UInt8(truncatingIfNeeded: number + first)
      #expect(store(address + number * page + number % 4096, value, in: other) == .byte(value))
    }
  }

  /// The bytes that `fill` stored are there.
  func expectFilled(_ address: UInt64, _ count: UInt64, from first: UInt64 = 1, in other: Proc? = nil) {
    for number in 0..<count {
      let value = UInt8(truncatingIfNeeded: number + first)
      #expect(load(address + number * page + number % 4096, in: other) == .byte(value), "page \(number)")
    }
  }

  /// get_mempolicy's mode word and mask.
  func policy(_ address: UInt64 = 0, flags: UInt64 = 0, in other: Proc? = nil) throws(Errno) -> (
    UInt64, UInt64
  ) {
    let answer = numaArguments + 2048
    storeWord(answer, 0, in: other)
    storeWord(answer + 8, .max, in: other)
    try call(.getMempolicy, [answer, answer + 8, 65, address, flags], in: other)
    return (loadWord(answer, bytes: 4, in: other) ?? .max, loadWord(answer + 8, in: other) ?? .max)
  }

  /// move_pages; without nodes it asks.
  /// - Returns: what the call returned and the statuses.
  func movePages(
    _ addresses: [UInt64], to nodes: [UInt64]? = nil, pid: UInt64 = 0, flags: UInt64 = 2,
    in other: Proc? = nil
  ) throws(Errno) -> (left: UInt64, status: [Int32]) {
    let (pages, wanted, status) = (numaArguments + 4096, numaArguments + 8192, numaArguments + 12288)
    for (index, address) in addresses.enumerated() {
      storeWord(pages + UInt64(index) * 8, address, in: other)
      storeWord(status + UInt64(index) * 4, 0x7777, bytes: 4, in: other)
    }
    for (index, node) in (nodes ?? []).enumerated() {
      storeWord(wanted + UInt64(index) * 4, node, bytes: 4, in: other)
    }
    let left = try call(
      .movePages, [pid, UInt64(addresses.count), pages, nodes == nil ? 0 : wanted, status, flags], in: other)
    return (
      left,
      addresses.indices.map { index in
        Int32(truncatingIfNeeded: loadWord(status + UInt64(index) * 4, bytes: 4, in: other) ?? 0x6666)
      }
    )
  }

  /// Everything is counted right, and tables too.
  func expectSound(_ note: String = "") {
    #expect(kernel.brokenCount() == nil, "\(note)")
    #expect(kernel.reverseMapFault() == nil, "\(note)")
    for space in kernel.spaces {
      #expect(kernel.tableBytesByNode(space).reduce(0, +) == space.database.footprint.total, "\(note)")
    }
  }
}
