// SPDX-License-Identifier: MIT
import EMTCore
import Machine
import SimMemory
import Testing
import VMM

/// The map of all memory, rights of kernel pages, and what happens when memory runs out.
struct DirectMapTests {
  private let readOnly = Protection(readable: true, writable: false, executable: false)
  private let writable = Protection(readable: true, writable: true, executable: false)

  @Test func allOfMemoryInLargePages() {
    let bytes: UInt64 = 1 << 30 + 6 << 20
    onEveryDriver(cpus: 2, bytes: bytes, { $0.mapsAllMemory = true }) { machine, name in
      let base = machine.kernelMemory.directMap.start
      #expect(machine.kernelMemory.directMap.bytes == machine.memory.frameCount << 12, "\(name)")
      let largest = machine.pageSizes.largest
      #expect(machine.kernelPageSize(at: base) == largest, "\(name)")
      #expect(machine.kernelPageSize(at: base.advanced(by: 1 << 30)) == .twoMiB, "\(name)")
      #expect(machine.kernelPageSize(at: base.advanced(by: bytes)) == nil, "\(name)")
      try machine.start(1)
      try machine.run(1, on: 1)
      try machine.mapUser(1, at: 0x10_0000_0000, on: 1)
      machine.store(0x10_0000_0000, 77, on: 1)
      guard case .physical(let place) = machine.access(.load, VirtualAddress(0x10_0000_0000), on: 1) else {
        return #expect(Bool(false), "\(name)")
      }
      let alias = base.advanced(by: place.raw)
      for cpu in 0..<2 {
        #expect(machine.kernelLoad(alias, on: cpu) == 77, "\(name)")
        #expect(!machine.userReaches(alias, on: cpu), "\(name)")
      }
      machine.kernelStore(alias, 78, on: 0)
      #expect(machine.load(0x10_0000_0000, on: 1) == 78, "\(name)")
      #expect(throws: Errno.eexist) { try machine.mapAllMemory() }
      machine.expectSound(name)
    }
  }

  @Test func onePageOfAHugeOneBecomesReadOnly() {
    onEveryDriver(cpus: 2, bytes: 1 << 30, { $0.mapsAllMemory = true }) { machine, name in
      let area = machine.kernelMemory.directMap
      let frame = try #require(machine.frames.allocate())
      let other = try #require(machine.frames.allocate())
      machine.frames.markUsed(frame, frames: 1)
      machine.frames.markUsed(other, frames: 1)
      let (address, neighbour) = (area.page(frame.raw), area.page(other.raw))
      for cpu in 0..<2 {
        #expect(machine.kernelStore(address, 1, on: cpu), "\(name)")
        #expect(machine.kernelStore(neighbour, 1, on: cpu), "\(name)")
      }
      let work = machine.work
      try machine.protect(VirtualRange(page: address, .base), readOnly)
      #expect((machine.work - work)[.shootdown] == 1, "\(name): splits and the change together")
      for cpu in 0..<2 {
        #expect(!machine.kernelStore(address, 2, on: cpu), "\(name)")
        #expect(machine.kernelLoad(address, on: cpu) == 1, "\(name)")
        #expect(machine.kernelStore(neighbour, 2, on: cpu), "\(name)")
      }
      #expect(machine.kernelPageSize(at: address) == .base, "\(name)")
      #expect(machine.kernelLoad(area.page(area.pages - 1), on: 1) == 0, "\(name)")
      machine.expectSound(name)
      try machine.protect(VirtualRange(page: address, .base), writable)
      #expect(machine.kernelStore(address, 3, on: 1), "\(name)")
      #expect(throws: Errno.efault) {
        try machine.protect(VirtualRange(area.page(area.pages - 1), bytes: 2 * page), readOnly)
      }
      for frame in [frame, other] { machine.frames.free(frame) }
    }
  }

  @Test func aSplitWithoutMemoryChangesNoRight() {
    onEveryDriver(bytes: 256 << 20, { $0.mapsAllMemory = true }) { machine, name in
      let area = machine.kernelMemory.directMap
      for successes in 0..<40 {
        machine.frames.injectFailure(after: successes, staysBroken: true)
        var failed = false
        do { try machine.protect(VirtualRange(area.page(700), bytes: 3 * page), readOnly) } catch {
          failed = true
          #expect(error as? Errno == .enomem, "\(name)")
        }
        machine.frames.stopInjectingFailures()
        for number: UInt64 in [600, 699, 700, 702, 703, 2000] {
          let isWritable = machine.kernelMayStore(area.page(number), on: 0)
          #expect(isWritable == (failed || number < 700 || number > 702), "\(name): page \(number)")
        }
        if !failed { return }
      }
      Issue.record("\(name): a split needs more than 40 frames")
    }
  }

  @Test(arguments: [KernelMemoryOptions(), .huge]) func exhaustion(_ options: KernelMemoryOptions) {
    onEveryDriver(cpus: 2) { machine, name in
      let kept = try machine.allocate(3)
      machine.kernelStore(kept.page(1), 8, on: 1)
      let pages = machine.pageSizes.all[1].basePages + 20
      let held = machine.frames.freeFrames &+ machine.kernelTables >> 12
      var failures = 0
      while failures < 2000 {
        machine.frames.injectFailure(after: failures, staysBroken: true)
        var area: VirtualRange?
        do { area = try machine.allocate(pages, options) } catch {
          #expect(error as? Errno == .enomem, "\(name)")
        }
        machine.frames.stopInjectingFailures()
        guard area == nil else { break }
        failures += 1
        #expect(machine.frames.freeFrames &+ machine.kernelTables >> 12 == held, "\(name) at \(failures)")
        #expect(machine.kernelMemory.areas.count == 1, "\(name)")
        #expect(machine.kernelLoad(VirtualAddress(kept.end.raw + page), on: 0) == nil, "\(name)")
      }
      #expect(failures >= 21, "\(name)")
      #expect(machine.kernelLoad(kept.page(1), on: 0) == 8, "\(name)")
      machine.expectSound(name)
    }
  }

  @Test func aMapWithoutMemoryIsTakenBack() {
    onEveryDriver { machine, name in
      let held = machine.frames.freeFrames &+ machine.kernelTables >> 12
      for successes in 0..<200 {
        machine.frames.injectFailure(after: successes, staysBroken: true)
        var failed = false
        do { try machine.mapAllMemory() } catch { failed = true }
        machine.frames.stopInjectingFailures()
        if !failed { return }
        #expect(machine.frames.freeFrames &+ machine.kernelTables >> 12 == held, "\(name)")
        #expect(machine.kernelMemory.directMap.isEmpty, "\(name)")
        #expect(machine.kernelPageSize(at: machine.kernelMemory.directMap.start) == nil, "\(name)")
      }
      Issue.record("\(name): the map needs more than 200 frames")
    }
  }

  @Test func shortageTakesFreedAreasFirst() {
    onEveryDriver(bytes: 16 << 20) { machine, name in
      let area = try machine.allocate(1500)
      try machine.free(area)
      #expect(machine.kernelMemory.freedPages == 1500, "\(name)")
      var pages: UInt64 = 0
      while (try? machine.allocate(250)) != nil { pages += 250 }
      #expect(machine.kernelMemory.freedPages == 0, "\(name)")
      #expect(pages >= 1500, "\(name)")
    }
  }

  @Test func workIsChargedToItsOwnAccount() {
    onEveryDriver(cpus: 2) { machine, name in
      let start = machine.work
      let area = try machine.allocate(64)
      try machine.free(area)
      _ = machine.purge()
      let work = machine.work - start
      #expect(work[.other, .pageSupply, .frameAllocated] == 64, "\(name)")
      #expect(work[.other, .pageSupply, .frameFreed] == 64, "\(name)")
      #expect(work[.other, .flush, .shootdown] == 1, "\(name)")
      #expect(work[.pageFault, .frameAllocated] + work[.systemCall, .frameAllocated] == 0, "\(name)")
    }
  }
}
