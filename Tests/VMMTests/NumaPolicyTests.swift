// SPDX-License-Identifier: MIT
import EMTCore
import Radix
import SimMemory
import Testing
import VMM

/// The calls that set and ask policies, by their answers.
struct NumaPolicyTests {
  private typealias Subject = Computer<RadixService>

  @Test("mbind01: what is accepted can be asked for; what is not is refused")
  func modesAndMasks() throws {
    let computer = try Subject.ofNodes()
    _ = try computer.map(4, at: numaData, flags: 0x32)
    let one = computer.mask(1)
    let two = computer.mask(1, 2, at: 64)
    let none = computer.mask(at: 128)
    let far = computer.mask(40, at: 192)
    func mbind(_ mode: UInt64, _ mask: UInt64, bits: UInt64 = 65, flags: UInt64 = 0) -> Errno? {
      computer.refusal(.mbind, [numaData, 4 * page, mode, mask, bits, flags])
    }
    let accepted: [(UInt64, UInt64, UInt64, UInt64)] = [
      (Mode.standard, 0, Mode.standard, 0), (Mode.standard, none, Mode.standard, 0),
      (Mode.bind, one, Mode.bind, 2), (Mode.interleave, two, Mode.interleave, 6),
      (Mode.preferred, one, Mode.preferred, 2), (Mode.preferred, 0, Mode.local, 0),
      (Mode.preferred, none, Mode.local, 0), (Mode.local, 0, Mode.local, 0),
      (Mode.preferredMany, two, Mode.preferredMany, 6), (Mode.weighted, two, Mode.weighted, 6),
      (Mode.bind | Mode.staticNodes, two, Mode.bind | Mode.staticNodes, 6),
      (Mode.bind | Mode.balancing, two, Mode.bind | Mode.balancing, 6),
    ]
    for (mode, mask, shown, nodes) in accepted {
      #expect(mbind(mode, mask) == nil)
      let answer = try computer.policy(numaData, flags: 2)
      #expect(answer == (shown, nodes), "mode \(mode)")
    }
    #expect(mbind(Mode.standard, one) == .einval)
    #expect(mbind(Mode.bind, 0) == .einval)
    #expect(mbind(Mode.bind, none) == .einval)
    #expect(mbind(Mode.interleave, 0) == .einval)
    #expect(mbind(Mode.local, one) == .einval)
    #expect(mbind(Mode.bind, far) == .einval)
    #expect(mbind(7, one) == .einval)
    #expect(mbind(Mode.bind | Mode.staticNodes | Mode.relativeNodes, one) == .einval)
    #expect(mbind(Mode.preferred | Mode.staticNodes, 0) == .einval)
    #expect(mbind(Mode.interleave | Mode.balancing, two) == .einval)
    #expect(mbind(Mode.bind, one, flags: 8) == .einval)
    #expect(mbind(Mode.bind, 0x7000_0000_0000) == .efault)
    #expect(mbind(Mode.bind, one, bits: 1 << 20) == .einval)
    #expect(computer.refusal(.mbind, [numaData + 1, page, Mode.bind, one, 65, 0]) == .einval)
    #expect(computer.refusal(.mbind, [numaData, 5 * page, Mode.bind, one, 65, 0]) == .efault)
    #expect(computer.refusal(.mbind, [numaData - page, 2 * page, Mode.bind, one, 65, 0]) == .efault)
    #expect(
      computer.refusal(.mbind, [numaData, .max, Mode.bind, one, 65, 0]) == nil, "the length wraps to none")
    #expect(computer.refusal(.mbind, [numaData, 0 &- page, Mode.bind, one, 65, 0]) == .einval)
    #expect(computer.refusal(.mbind, [numaData, 0, Mode.bind, one, 65, 0]) == nil)
    // What was set last and accepted still counts.
    #expect(try computer.policy(numaData, flags: 2) == (Mode.bind | Mode.balancing, 6))
    computer.finish()
  }

  @Test("get_mempolicy01: the task's and the area's policy, as they were set")
  func asking() throws {
    let computer = try Subject.ofNodes()
    _ = try computer.map(4, at: numaData, flags: 0x32)
    for (mode, nodes) in [
      (Mode.standard, 0), (Mode.bind, 2), (Mode.interleave, 6), (Mode.preferred, 4), (Mode.local, 0),
    ] as [(UInt64, UInt64)] {
      computer.storeWord(numaArguments, nodes)
      let mask = nodes == 0 ? 0 : numaArguments
      try computer.call(.setMempolicy, [mode, mask, 65])
      #expect(try computer.policy() == (mode, nodes))
      #expect(try computer.policy(numaData, flags: 2) == (Mode.standard, 0), "areas have none of their own")
      try computer.call(.setMempolicy, [Mode.standard, 0, 0])
      try computer.call(.mbind, [numaData, 4 * page, mode, mask, 65, 0])
      #expect(try computer.policy(numaData, flags: 2) == (mode, nodes))
      #expect(try computer.policy() == (Mode.standard, 0))
      try computer.call(.mbind, [numaData, 4 * page, Mode.standard, 0, 0, 0])
    }
    #expect(try computer.policy(flags: 4) == (0, 15))
    computer.finish()
  }

  @Test("get_mempolicy02: errors") func askingWrongly() throws {
    let computer = try Subject.ofNodes()
    #expect(computer.refusal(.getMempolicy, [0, 0, 0, 0, 2]) == .efault)
    #expect(computer.refusal(.getMempolicy, [0, 0, 0, 0, .max]) == .einval)
    #expect(computer.refusal(.getMempolicy, [0, 0, 0, numaArguments, 0]) == .einval)
    #expect(computer.refusal(.getMempolicy, [0, 0, 0, 0, 5]) == .einval)
    #expect(computer.refusal(.getMempolicy, [0, 0, 0, 0, 1]) == .einval, "no interleaving to ask about")
    #expect(computer.refusal(.getMempolicy, [0, numaArguments, 3, 0, 0]) == .einval)
    #expect(computer.refusal(.getMempolicy, [0x7000_0000_0000, 0, 0, 0, 0]) == .efault)
    #expect(computer.refusal(.setMempolicy, [Mode.bind, 0, 0]) == .einval)
    #expect(computer.refusal(.setMempolicy, [Mode.bind, 0x7000_0000_0000, 65]) == .efault)
    #expect(computer.refusal(.setMempolicy, [9, 0, 0]) == .einval)
    computer.finish()
  }

  @Test func askingForNodes() throws {
    let computer = try Subject.ofNodes()
    _ = try computer.map(4, at: numaData, flags: 0x32)
    try computer.call(.setMempolicy, [Mode.interleave, computer.mask(1, 3), 65])
    #expect(try computer.policy(flags: 1) == (1, 10))
    try computer.call(.mbind, [numaData, 4 * page, Mode.bind, computer.mask(2), 65, 0])
    computer.store(numaData, 1)
    #expect(try computer.policy(numaData, flags: 3).0 == 2)
    computer.finish()
  }

  @Test("mbind cuts areas and joins them again") func areas() throws {
    let computer = try Subject.ofNodes()
    _ = try computer.map(8, at: numaData, flags: 0x32)
    let before = computer.process.space.layout.areas.areas.count
    func bind(_ first: UInt64, _ count: UInt64, _ mode: UInt64, _ node: Int) throws(Errno) -> Int {
      let mask = mode == 0 ? 0 : computer.mask(node)
      try computer.call(.mbind, [numaData + first * page, count * page, mode, mask, 65, 0])
      return computer.process.space.layout.areas.areas.count - before
    }
    #expect(try bind(2, 4, Mode.bind, 1) == 2)
    #expect(try bind(4, 1, Mode.bind, 2) == 4)
    #expect(try bind(4, 1, Mode.bind, 1) == 2)
    #expect(try bind(0, 2, Mode.bind, 1) == 1)
    #expect(try bind(0, 8, Mode.standard, 0) == 0)
    computer.kernel.maximumAreas = before + 1
    let mask = computer.mask(1)
    #expect(computer.refusal(.mbind, [numaData + page, page, Mode.bind, mask, 65, 0]) == .enomem)
    computer.finish()
  }

  @Test func homeNodes() throws {
    let computer = try Subject.ofNodes()
    computer.kernel.nodeMap[0, 3] = 12
    _ = try computer.map(4, at: numaData, flags: 0x32)
    func home(_ node: UInt64, _ flags: UInt64 = 0) -> Errno? {
      computer.refusal(.setMempolicyHomeNode, [numaData, 4 * page, node, flags])
    }
    #expect(home(1) == .enoent, "no policy")
    try computer.call(.mbind, [numaData, 4 * page, Mode.interleave, computer.mask(1, 2), 65, 0])
    #expect(home(1) == .eopnotsupp)
    try computer.call(.mbind, [numaData, 4 * page, Mode.bind, computer.mask(2, 3), 65, 0])
    #expect(home(4) == .einval)
    #expect(home(1, 1) == .einval)
    computer.store(numaData, 1)
    #expect(computer.node(numaData) == 3, "node 3 is nearer to CPU 0")
    #expect(home(2) == nil)
    computer.store(numaData + page, 1)
    #expect(computer.node(numaData + page) == 2)
    computer.finish()
  }

  @Test func policiesFollowAllowedNodes() throws {
    let computer = try Subject.ofNodes()
    _ = try computer.map(4, at: numaData, flags: 0x32)
    let space = computer.process.space
    try computer.kernel.allow(NodeSet(0b0110), for: space)
    #expect(try computer.policy(flags: 4) == (0, 0b0110))
    #expect(computer.refusal(.setMempolicy, [Mode.bind, computer.mask(0), 65]) == .einval)
    try computer.call(.setMempolicy, [Mode.bind, computer.mask(0, 1), 65])
    #expect(try computer.policy() == (Mode.bind, 0b0010))
    try computer.call(.mbind, [numaData, page, Mode.interleave, computer.mask(1, 2), 65, 0])
    try computer.call(
      .mbind, [numaData + page, page, Mode.bind | Mode.relativeNodes, computer.mask(1), 65, 0])
    try computer.call(
      .mbind, [numaData + 2 * page, page, Mode.bind | Mode.staticNodes, computer.mask(2), 65, 0])
    try computer.kernel.allow(NodeSet(0b1100), for: space)
    #expect(try computer.policy() == (Mode.bind, 0b0100), "position by position")
    #expect(try computer.policy(numaData, flags: 2) == (Mode.interleave, 0b1100))
    for number in 0..<UInt64(4) { computer.store(numaData + number * page, 1) }
    #expect(computer.nodes(numaData, 4) == [2, 3, 2, 2] || computer.nodes(numaData, 4) == [3, 3, 2, 2])
    #expect(throws: Errno.einval) { try computer.kernel.allow(NodeSet(0b11_0000), for: space) }
    computer.finish()
  }
}
