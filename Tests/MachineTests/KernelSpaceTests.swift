// SPDX-License-Identifier: MIT
import EMTCore
import Machine
import SimMemory
import Testing
import VMM

/// The kernel's own mappings, seen through the hardware of every CPU and process.
struct KernelSpaceTests {
  @Test func scatteredFramesBecomeOneRangeForEverybody() {
    onEveryDriver(cpus: 3) { machine, name in
      try machine.start(1)
      try machine.run(1, on: 1)
      let area = try machine.allocate(40)
      try machine.start(2)
      try machine.run(2, on: 2)
      for number in 0..<UInt64(40) {
        #expect(machine.kernelStore(area.page(number), UInt8(number + 1), on: Int(number % 3)), "\(name)")
      }
      for cpu in 0..<3 {
        for number in 0..<UInt64(40) {
          #expect(machine.kernelLoad(area.page(number), on: cpu) == UInt8(number + 1), "\(name) CPU \(cpu)")
          #expect(!machine.userReaches(area.page(number), on: cpu), "\(name) CPU \(cpu)")
        }
        #expect(machine.kernelLoad(area.page(40), on: cpu) == nil, "\(name): the guard page")
      }
      let other = try machine.allocate(1)
      #expect(other.start.raw >= area.end.raw + page, "\(name)")
      machine.exit(1)
      #expect(machine.kernelLoad(area.page(3), on: 1) == 4, "\(name): after the process ended")
      machine.expectSound(name)
    }
  }

  @Test func atOnceEveryFreeIsAShootdown() {
    onEveryDriver(cpus: 2) { machine, name in
      machine.kernelMemory.flushing = .immediate
      let before = machine.frames.freeFrames &+ machine.kernelTables >> 12
      let area = try machine.allocate(20)
      for cpu in 0..<2 { #expect(machine.kernelStore(area.page(7), 9, on: cpu), "\(name)") }
      let work = machine.work
      try machine.free(area)
      #expect((machine.work - work)[.shootdown] == 1, "\(name)")
      for cpu in 0..<2 { #expect(machine.kernelLoad(area.page(7), on: cpu) == nil, "\(name)") }
      #expect(machine.frames.freeFrames &+ machine.kernelTables >> 12 == before, "\(name)")
      #expect(throws: Errno.einval) { try machine.free(area) }
      #expect(try machine.allocate(20) == area, "\(name): the addresses are free again")
      machine.expectSound(name)
    }
  }

  @Test func lazyFreesCostOneShootdownTogether() {
    onEveryDriver(cpus: 4) { machine, name in
      machine.kernelMemory.lazyPages = 100
      let areas = try (0..<12).map { _ in try machine.allocate(10) }
      for area in areas { for cpu in 0..<4 { machine.kernelStore(area.page(5), 1, on: cpu) } }
      let start = machine.work
      for area in areas.prefix(10) { try machine.free(area) }
      #expect((machine.work - start)[.shootdown] == 0, "\(name)")
      // Nothing is given out twice before the flush.
      let fresh = try machine.allocate(10)
      #expect(!areas.contains { $0.overlaps(fresh) }, "\(name)")
      machine.expectSound(name)
      try machine.free(areas[10])
      let work = machine.work - start
      #expect(work[.shootdown] == 1, "\(name)")
      #expect(work[.interrupt] == 3, "\(name)")
      #expect(machine.kernelMemory.purges == 1, "\(name)")
      for area in areas.prefix(11) {
        for cpu in 0..<4 { #expect(machine.kernelLoad(area.page(5), on: cpu) == nil, "\(name)") }
      }
      #expect(machine.kernelLoad(areas[11].page(5), on: 2) == 1, "\(name)")
      #expect(machine.kernelMemory.pages == 20, "\(name)")
      machine.expectSound(name)
    }
  }

  @Test func hugeAllocations() {
    onEveryDriver { machine, name in
      let size = machine.pageSizes.all[1]
      let pages = 2 * size.basePages + 3
      let area = try machine.allocate(pages, [.huge, .zeroed])
      #expect(machine.kernelPageSize(at: area.start) == size, "\(name)")
      #expect(machine.kernelPageSize(at: area.page(pages - 1)) == .base, "\(name)")
      for number in [0, 1, size.basePages, pages - 4, pages - 1] {
        #expect(machine.kernelLoad(area.page(number), on: 0) == 0, "\(name)")
        #expect(machine.kernelStore(area.page(number), 5, on: 0), "\(name)")
      }
      // A small allocation takes base pages even when blocks are free.
      #expect(machine.kernelPageSize(at: try machine.allocate(pages).start) == .base, "\(name)")
      try machine.free(area)
      #expect(machine.purge() == pages, "\(name)")
      let again = try machine.allocate(pages, [.huge, .zeroed])
      #expect(machine.kernelLoad(again.page(pages - 1), on: 0) == 0, "\(name)")
      #expect(machine.kernelLoad(again.page(1), on: 0) == 0, "\(name)")
    }
  }

  @Test func hugeAllocationsTakeWhatThereIs() {
    onEveryDriver(bytes: 16 << 20) { machine, name in
      // No block of 2 MiB is left, but smaller ones are, and the tables that take such blocks themselves.
      _ = try machine.allocate(1)
      var held: [FrameNumber] = []
      while let frame = machine.frames.allocate() { held.append(frame) }
      for frame in held where frame.raw % 256 != 0 { machine.frames.free(frame) }
      let area = try machine.allocate(600, [.huge])
      #expect(machine.kernelPageSize(at: area.start) == .base, "\(name)")
      #expect(machine.kernelStore(area.page(599), 1, on: 0), "\(name)")
      for frame in held where frame.raw % 256 == 0 { machine.frames.free(frame) }
    }
  }

  @Test func givenFrames() throws {
    onEveryDriver { machine, name in
      try machine.start(1)
      try machine.run(1, on: 0)
      let scattered = (0..<9).compactMap { _ in machine.frames.allocate() }.reversed()
      let frames = Array(scattered)
      for frame in frames { machine.frames.table.retain(frame) }
      let area = try machine.map(frames)
      for number in 0..<UInt64(9) { machine.kernelStore(area.page(number), UInt8(number), on: 0) }
      for number in 0..<9 {
        #expect(machine.memory.byte(at: frames[number].address) == UInt8(number), "\(name)")
      }
      let twice = try machine.map([frames[4], frames[4]])
      #expect(machine.kernelLoad(twice.page(1), on: 0) == 4, "\(name)")
      try machine.free(area)
      _ = machine.purge()
      #expect(machine.kernelLoad(area.page(2), on: 0) == nil, "\(name)")
      #expect(machine.kernelLoad(twice.page(0), on: 0) == 4, "\(name): another mapping holds the frame")
      for frame in frames where machine.frames.table.release(frame) == 0 { machine.frames.free(frame) }
      // The frame of the mapping that is left goes with it.
      try machine.free(twice)
    }
  }

  @Test func contiguousFramesAreMappedHuge() {
    onEveryDriver { machine, name in
      let size = machine.pageSizes.all[1]
      let block = try #require(machine.frames.allocate(order: size.order))
      machine.frames.cut(block, order: size.order)
      let frames = (0..<size.basePages).map { block.advanced(by: $0) }
      for frame in frames { machine.frames.table.retain(frame) }
      let area = try machine.map(frames)
      #expect(machine.kernelPageSize(at: area.start) == size, "\(name)")
      machine.kernelStore(area.page(100), 3, on: 0)
      #expect(machine.memory.byte(at: frames[100].address) == 3, "\(name)")
      try machine.free(area)
      for frame in frames { if machine.frames.table.release(frame) == 0 { machine.frames.free(frame) } }
    }
  }
}
