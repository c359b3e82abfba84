// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference
internal import SimMemory

extension ContractSuite {
  /// Attributes that are plain flags of a present page, independent of one another in every format.
  static var plainFlags: [TranslationAttribute] {
    [.writable, .executable, .user, .accessed, .dirty, .softDirty, .userfaultWriteProtected, .special]
  }

  static func objectChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "OBJ-1", "OBJ-1 blank", "A new object is unmapped, at its place, and everything else is zero."
      ) { bench in
        for size in bench.sizes {
          let blank = Database.Object(unmappedAt: bench.home, size: size)
          bench.equal(blank.start, bench.home, "start")
          bench.equal(blank.size, size, "size")
          for attribute in TranslationAttribute.neutral where attribute.key > 1 {
            bench.equal(try blank.read(attribute), 0, "\(attribute.name) of a blank of \(size)")
          }
        }
      },
      ContractCheck(
        "OBJ-2", "OBJ-2 unknown key", "A key that the driver does not have is an error, never a default."
      ) { bench in
        let blank = Database.Object(unmappedAt: bench.home, size: .base)
        for key in [TranslationAttribute.neutralCount, 0xFF, 0xFFFF] {
          let attribute = TranslationAttribute(key: key)
          do throws(AttributeError) {
            bench.fail("reading key \(key) throws", "\(try blank.read(attribute))")
          } catch { bench.equal(error, .unknown(attribute), "reading key \(key)") }
          var copy = blank
          do throws(AttributeError) {
            bench.fail("writing key \(key) throws", "\(try copy.write(attribute, 1))")
          } catch { bench.equal(error, .unknown(attribute), "writing key \(key)") }
        }
      },
      ContractCheck(
        "OBJ-3", "OBJ-3 flag subsets", "Every set of flags reads back as written, at every page size."
      ) { bench in
        for size in bench.sizes {
          for subset in 0..<(1 << plainFlags.count) {
            var object = bench.object(bench.home, size)
            for (bit, attribute) in plainFlags.enumerated() {
              try object.write(attribute, UInt64(subset >> bit & 1))
            }
            for (bit, attribute) in plainFlags.enumerated() {
              bench.equal(
                try object.read(attribute), UInt64(subset >> bit & 1), "\(attribute.name) in set \(subset)")
            }
            bench.expect(object.isPresent && object.isMapped, "the page stays present")
          }
        }
      },
      ContractCheck(
        "OBJ-3", "OBJ-3 old value", "Writing returns the value before and changes this copy only."
      ) { bench in
        for size in bench.sizes {
          for attribute in plainFlags + [.numaHint, .global] {
            var object = bench.object(bench.home, size)
            let other = object
            let before = try object.read(attribute)
            bench.equal(try object.write(attribute, 1 - before), before, "old \(attribute.name)")
            bench.equal(try object.write(attribute, before), 1 - before, "old \(attribute.name), second time")
            bench.equal(try other.read(attribute), before, "\(attribute.name) of another copy")
          }
        }
      },
      ContractCheck(
        "OBJ-3", "OBJ-3 wide values", "Addresses, cache modes, swap entries and rights read back as written."
      ) { bench in
        for size in bench.sizes { try wideValues(bench, size) }
      },
      ContractCheck(
        "OBJ-3", "OBJ-3 refusals",
        "A value that the attribute or the format cannot hold is an error and changes nothing."
      ) { bench in
        for size in bench.sizes { refusals(bench, size) }
      },
      ContractCheck(
        "OBJ-3", "OBJ-3 states", "Emptying, swapping out and resizing do what the attributes' meanings say."
      ) { bench in
        for size in bench.sizes { states(bench, size) }
      },
    ]
  }

  private static func wideValues<Database>(_ bench: ContractBench<Database>, _ size: PageSize) throws {
    var object = bench.object(bench.home, size)
    for raw in [size.bytes, size.bytes * 3, UInt64(1) << 35, (1 << 38) - size.bytes] {
      object.physicalAddress = PhysicalAddress(raw & ~size.mask)
      bench.equal(object.physicalAddress, PhysicalAddress(raw & ~size.mask), "physical address, \(size)")
      bench.expect(
        object.isWritable && object.isUser && !object.isExecutable, "rights survive a new physical address")
    }
    let frame = object.physicalAddress
    for mode in CacheMode.allCases {
      object.cacheMode = mode
      bench.equal(object.cacheMode, mode, "cache mode of \(size)")
      bench.equal(object.physicalAddress, frame, "physical address beside cache mode \(mode)")
      bench.equal(object.size, size, "size beside cache mode \(mode)")
    }
    object.cacheMode = .writeBack
    object.isReadable = false
    bench.expect(!object.isReadable && object.isPresent, "a page without rights stays present")
    object.isReadable = true
    object.hasNumaHint = true
    bench.expect(object.hasNumaHint && object.isPresent, "a page with a NUMA hint stays present")
    bench.equal(object.physicalAddress, frame, "physical address beside the hint")
    var swap = Database.Object(unmappedAt: bench.home, size: size)
    for area: UInt8 in [0, 1, 30] {
      for offset: UInt64 in [0, 1, 0xFFFF_FFFF] {
        swap.swapEntry = SwapEntry(area: area, offset: offset)
        bench.equal(swap.swapEntry, SwapEntry(area: area, offset: offset), "swap entry")
        bench.expect(swap.isMapped && !swap.isPresent, "a swap entry is mapped and not present", swap.summary)
      }
    }
  }

  private static func refusals<Database>(_ bench: ContractBench<Database>, _ size: PageSize) {
    let object = bench.object(bench.home, size)
    let swapLimit = UInt64(32) << SwapEntry.offsetBits
    let refused: [(TranslationAttribute, UInt64)] =
      (plainFlags + [.mapped, .present, .readable, .global, .numaHint]).map { ($0, 2) } + [
        (.virtualAddress, bench.home.raw + size.bytes / 2), (.physicalAddress, size.bytes / 2),
        (.physicalAddress, ~size.mask), (.pageSize, 11), (.pageSize, 64),
        (.cacheMode, UInt64(CacheMode.allCases.count)), (.swapEntry, swapLimit),
        (.swapEntry, swapLimit << 4 | 1),
        (.swapEntry, UInt64(0x101) << SwapEntry.offsetBits | 5), (.swapEntry, 5),
      ]
    for (attribute, value) in refused {
      var copy = object
      do throws(AttributeError) {
        try copy.write(attribute, value)
        bench.fail("\(attribute.name) refuses 0x\(String(value, radix: 16)), \(size)", copy.summary)
      } catch {
        bench.equal(error, .unrepresentable(attribute, value: value), "the refusal of \(attribute.name)")
        bench.same(copy, object, "the object after a refusal")
      }
    }
  }

  private static func states<Database>(_ bench: ContractBench<Database>, _ size: PageSize) {
    var object = bench.object(bench.home, size)
    object.isSoftDirty = true
    object.isAccessed = true
    object.isDirty = true
    var swapped = object
    swapped.swapEntry = SwapEntry(area: 2, offset: 9)
    bench.expect(
      swapped.isMapped && !swapped.isPresent && swapped.isSoftDirty, "soft-dirty survives swapping out")
    bench.expect(
      !swapped.isDirty && !swapped.isAccessed && !swapped.isWritable, "rights do not", swapped.summary)
    swapped.swapEntry = nil
    bench.expect(!swapped.isMapped, "without its swap entry the object is empty", swapped.summary)
    var emptied = object
    emptied.isMapped = false
    bench.same(emptied, Database.Object(unmappedAt: bench.home, size: size), "an emptied object")
    for smaller in bench.sizes where smaller < size {
      object.cacheMode = .uncached
      let inside = bench.home.advanced(by: smaller.bytes)
      let frame = object.physicalAddress.advanced(by: smaller.bytes)
      let part = object.relocated(to: inside, size: smaller, physicalAddress: frame)
      bench.equal(part.start, inside, "start of a part")
      bench.equal(part.size, smaller, "size of a part")
      bench.equal(part.physicalAddress, frame, "frame of a part")
      bench.expect(
        part.isDirty && part.isWritable && part.isSoftDirty && part.cacheMode == .uncached,
        "a part has all attributes", part.summary)
    }
  }
}
