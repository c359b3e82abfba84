// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import VMM

/// A process with 16 watched pages, 4 source pages, and an agreed userfaultfd.
struct UserfaultRig<Service: TranslationService> {
  let structure: UInt64 = 0x10_0000_0000
  let source: UInt64 = 0x11_0000_0000
  let watched: UInt64 = 0x20_0000_0000
  let computer: Computer<Service>
  let descriptor: UInt64

  /// - Parameter viaDevice: the descriptor comes from `/dev/userfaultfd`.
  init(
    mode: UInt64, flags: UInt64 = 0x32, file: UInt64 = .max, features: UInt64 = 0, viaDevice: Bool = false
  ) throws {
    computer = try Computer<Service>()
    _ = try computer.map(1, at: structure, flags: 0x32)
    _ = try computer.map(4, at: source, flags: 0x32)
    var descriptor = file
    if flags & 0x20 == 0 { descriptor = try computer.memfd(size: 16 * page) }
    try computer.call(.mmap, [watched, 16 * page, 3, flags, descriptor, 0])
    if viaDevice {
      let call = FileCall(.openat, [0xFFFF_FF9C, 0, 2], strings: [1: "/dev/userfaultfd"], result: 9)
      computer.kernel.follow(computer.process, call)
      self.descriptor = try computer.call(.ioctl, [9, 0xAA00, 1])
    } else {
      self.descriptor = try computer.call(.userfaultfd, [1])
    }
    #expect(command(0xC018_AA3F, 0xAA, features, 0) == nil)
    #expect(command(0xC020_AA00, watched, 16 * page, mode) == nil)
  }

  /// Performs a command.
  /// - Returns: why it was refused.
  func command(
    _ number: UInt64, _ words: UInt64..., on other: UInt64? = nil, by process: Computer<Service>.Proc? = nil
  ) -> Errno? {
    for (index, word) in words.enumerated() {
      computer.storeWord(structure + UInt64(index) * 8, word, in: process)
    }
    return computer.refusal(.ioctl, [other ?? descriptor, number, structure], in: process)
  }

  /// What the command answered in the structure.
  func answer(_ index: UInt64) -> UInt64? { computer.loadWord(structure + index * 8) }

  func event(of other: UInt64? = nil) throws -> UserfaultEvent? {
    try computer.kernel.takeUserfaultEvent(computer.process, UInt32(other ?? descriptor))
  }

  func isWaiting(_ address: UInt64) -> Bool {
    computer.kernel.isWaiting(computer.process.space, VirtualAddress(address))
  }
}
