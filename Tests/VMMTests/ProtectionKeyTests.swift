// SPDX-License-Identifier: MIT
import EMTCore
import Radix
import SimMemory
import Testing
import VMM

/// Protection keys and execute-only memory.
struct ProtectionKeyTests {
  private struct Keys: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      let base = try computer.map(4)
      for index in 0..<UInt64(4) { computer.store(base + index * page, UInt8(index + 1)) }
      let noAccess = try computer.call(.pkeyAlloc, [0, 1])
      let noWrite = try computer.call(.pkeyAlloc, [0, 2])
      #expect([noAccess, noWrite] == [1, 2])
      try computer.call(.pkeyMprotect, [base, page, 3, noAccess])
      try computer.call(.pkeyMprotect, [base + page, page, 3, noWrite])
      #expect(computer.load(base) == .refused(.keyForbids))
      #expect(computer.store(base, 9) == .refused(.keyForbids))
      #expect(computer.load(base + page) == .byte(2))
      #expect(computer.store(base + page, 9) == .refused(.keyForbids))
      #expect(FaultRefusal.keyForbids.code == 4)
      // The register is the thread's: it changes without a call, and a child inherits it.
      computer.process.keyRights[UInt8(noAccess)] = 0
      #expect(computer.store(base, 10) == .byte(10))
      let child = try computer.kernel.fork(computer.process, child: 2)
      #expect(computer.load(base, in: child) == .byte(10))
      #expect(computer.store(base + page, 9, in: child) == .refused(.keyForbids))
      // mprotect keeps the key; key 0 gives access back.
      try computer.call(.mprotect, [base + page, page, 1])
      try computer.call(.mprotect, [base + page, page, 3])
      #expect(computer.store(base + page, 9) == .refused(.keyForbids))
      try computer.call(.pkeyMprotect, [base + page, page, 3, 0])
      #expect(computer.store(base + page, 9) == .byte(9))
      #expect(computer.load(base + 3 * page) == .byte(4))
      // What the process moves stays guarded by its key.
      computer.process.keyRights[1] = 1
      let moved = try computer.call(.mremap, [base, page, 2 * page, 1])
      #expect(computer.load(moved) == .refused(.keyForbids))
      #expect(computer.load(moved + page) == .refused(.keyForbids))
      computer.process.keyRights[1] = 0
      #expect(computer.load(moved) == .byte(10))
      computer.finish()
    }
  }

  @Test("pkey01: each key's rights are enforced, and key 0 gives access back") func keys() throws {
    try Keys().runEverywhere()
  }

  private struct KernelAccess: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      let base = try computer.map(8)
      let other = try computer.kernel.start(2)
      let there = try computer.map(1, in: other)
      computer.store(there, 42, in: other)
      let local = computer.vector([(base + page, 4)], at: base)
      let remote = computer.vector([(there, 4)], at: base + 64)
      let key = try computer.call(.pkeyAlloc, [0, 2])
      try computer.call(.pkeyMprotect, [base + page, page, 3, key])
      let call = [2, local[0], 1, remote[0], 1, 0]
      #expect(computer.refusal(.processVmReadv, call) == .efault, "the kernel respects its caller's keys")
      #expect(try computer.call(.processVmWritev, call) == 4)
      #expect(computer.load(there, in: other) == .byte(0))
      computer.store(there, 43, in: other)
      #expect(computer.refusal(.mincore, [base, page, base + page]) == .efault)
      #expect(computer.refusal(.madvise, [base + page, page, 23]) == .efault)
      computer.process.keyRights[UInt8(key)] = 0
      #expect(try computer.call(.processVmReadv, call) == 4)
      #expect(computer.load(base + page) == .byte(43))
      // Keys are no secret from others: they are the thread's own protection.
      other.keyRights[0] = 1
      #expect(try computer.call(.processVmReadv, call) == 4)
      computer.finish()
    }
  }

  @Test func theKernelRespectsItsCallersKeys() throws { try KernelAccess().runEverywhere() }

  private struct ExecuteOnly: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      let base = try computer.map(3)
      computer.store(base + page, 7)
      try computer.call(.mprotect, [base + page, page, 4])
      #expect(computer.load(base + page) == .refused(.keyForbids))
      #expect(
        computer.kernel.pageFault(computer.process.space, VirtualAddress(base + page), .fetch)
          != .refused(.notAllowed))
      #expect(computer.load(base) == .byte(0))
      let key = UInt64(computer.process.space.layout.protectionKeys.executeOnly ?? 0)
      #expect(key == 1)
      #expect(computer.refusal(.pkeyFree, [key]) == .einval, "that key is the kernel's")
      #expect(computer.refusal(.pkeyMprotect, [base, page, 3, key]) == .einval)
      try computer.call(.mprotect, [base + page, page, 5])
      #expect(computer.load(base + page) == .byte(7))
      #expect(computer.process.space.layout.areas.area(at: VirtualAddress(base + page))?.key == 0)
      let code = try computer.map(1, rights: 4)
      #expect(computer.load(code) == .refused(.keyForbids))
      // Without the hardware for it, execute-only memory can be read.
      computer.kernel.hasProtectionKeys = false
      let plain = try computer.map(1, rights: 4)
      #expect(computer.load(plain) == .byte(0))
      computer.finish()
    }
  }

  @Test("mmap03: execute-only memory refuses data accesses") func executeOnly() throws {
    try ExecuteOnly().runEverywhere()
  }

  @Test func keysRunOut() throws {
    let computer = try RadixComputer()
    let base = try computer.map(1)
    #expect(computer.refusal(.pkeyAlloc, [1, 0]) == .einval)
    #expect(computer.refusal(.pkeyAlloc, [0, 4]) == .einval)
    #expect(computer.refusal(.pkeyFree, [3]) == .einval)
    #expect(computer.refusal(.pkeyMprotect, [base, page, 1, 3]) == .einval)
    #expect(computer.refusal(.pkeyMprotect, [base, page, 1, .max]) == nil)
    for key in 1..<UInt64(16) { #expect(try computer.call(.pkeyAlloc, [0, 0]) == key) }
    #expect(computer.refusal(.pkeyAlloc, [0, 0]) == .enospc)
    try computer.call(.pkeyFree, [9])
    let child = try computer.kernel.fork(computer.process, child: 2)
    #expect(try computer.call(.pkeyAlloc, [0, 0], in: child) == 9)
    #expect(try computer.call(.pkeyAlloc, [0, 0]) == 9)
    try computer.kernel.execute(child)
    #expect(child.keyRights == .initial)
    #expect(try computer.call(.pkeyAlloc, [0, 0], in: child) == 1)
    computer.kernel.hasProtectionKeys = false
    try computer.call(.pkeyFree, [9])
    #expect(computer.refusal(.pkeyAlloc, [0, 0]) == .enospc)
    computer.finish()
  }
}
