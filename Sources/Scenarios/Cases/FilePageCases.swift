// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let remapFilePages = ScenarioGroup("remap_file_pages", isComplete: true, remapFilePagesCases)
  static let memfd = ScenarioGroup("memfd", isComplete: true, memfdCases)

  private static let remapFilePagesCases: [ScenarioCase] = [
    ScenarioCase("remap_file_pages01", "Each part of a window shows the page of the file that was asked for.")
    { p in
      for name in ["/dev/shm/window", "/tmp/window"] {
        let file = try p.file(size: 64 * page, name: name)
        for number in 0..<64 as Range<UInt64> { try p.write(file, at: number * page, [UInt8(number) + 1]) }
        let at = try p.map(16, .shared, file: file)
        for first in [0, 40] as [UInt64] {
          for part in stride(from: 0, to: 16, by: 2) as StrideTo<UInt64> {
            try p.remapFilePages(at + part * page, pages: 2, to: first + 14 - part)
          }
          for part in 0..<16 as Range<UInt64> {
            let number = first + 14 - part / 2 * 2 + part % 2
            p.expectLoad(at + part * page, UInt8(number) + 1)
          }
        }
        p.store(at, 200)
        p.expectContents(file, at: 54 * page, [200])
        try p.remapFilePages(at, pages: 16, to: 20)
        for part in 0..<16 as Range<UInt64> { p.expectLoad(at + part * page, UInt8(20 + part) + 1) }
        p.expectLayout(at, [.area(16, shared: true, offset: 20 * page)])
      }
    },
    ScenarioCase("remap_file_pages02", "Private mappings, holes, too long windows and rights are refused.") {
      p in
      let file = try p.file(size: 4 * page)
      let shared = try p.map(1, .shared, file: file, at: 0x40_0000_0000)
      let copy = try p.map(1, .private, file: file, at: 0x41_0000_0000)
      p.expectErrno(.einval, when: "for a private mapping") { try p.remapFilePages(copy, pages: 1, to: 2) }
      p.expectErrno(.einval, when: "where nothing is mapped") {
        try p.remapFilePages(shared + page, pages: 1, to: 2)
      }
      p.expectErrno(.einval, when: "behind the mapping") { try p.remapFilePages(shared, pages: 2, to: 2) }
      p.expectErrno(.einval, when: "with rights") {
        try p.remapFilePages(shared, pages: 1, protection: .read, to: 2)
      }
      p.expectErrno(.einval, when: "for no length") { try p.remapFilePages(shared, pages: 0, to: 2) }
      p.expectErrno(.einval, when: "for file pages that overflow") {
        try p.remapFilePages(shared, pages: 1, to: .max)
      }
      p.expectErrno(.eoverflow, when: "for pages that no file could have") {
        try p.remapFilePages(shared, pages: 1, to: .max - 2)
      }
      p.expectLayout(shared, [.area(1, shared: true, offset: 0)])
      let last = try p.map(1, .shared, file: file, at: shared + page, protection: .read)
      p.expectErrno(.einval, when: "over mappings with other rights") {
        try p.remapFilePages(shared, pages: 2, to: 2)
      }
      p.expectLayout(last, [.area(1, .read, shared: true, offset: 0)])
    },
    ScenarioCase("remap_file_pages.in", "The pages come in at once, so that using them is no fault.") { p in
      let file = try p.file(size: 8 * page)
      let at = try p.map(4, .shared, file: file)
      for number in 0..<8 as Range<UInt64> { try p.write(file, at: number * page, [UInt8(number) + 1]) }
      try p.remapFilePages(at, pages: 4, to: 4)
      p.expect(p.presentPages(at, pages: 4), 4, "pages in memory")
      p.expectFaults {
        for part in 0..<4 as Range<UInt64> { p.expectLoad(at + part * page, UInt8(part) + 5) }
      }
    },
  ]

  private static let memfdCases: [ScenarioCase] = [
    ScenarioCase(
      "memfd_create02", "Names that cannot be read or are too long, and unknown flags, are refused."
    ) { p in
      func create(_ name: UInt64, flags: UInt64 = 0) throws -> UInt64 {
        try p.call(.memfdCreate, ["name": name, "flags": flags])
      }
      let name = p.scratch()
      p.expectErrno(.efault, when: "for no name") { try create(0) }
      p.expectErrno(.efault, when: "for a name that is not mapped") { try create(page) }
      p.store(name, String(repeating: "a", count: 250))
      p.expectErrno(.einval, when: "for a name of 250 bytes") { try create(name) }
      p.store(name + 249, 0)
      p.expectSuccess("a name of 249 bytes") { try create(name) }
      let end = try p.map(1)
      p.store(end + page - 3, "abc")
      p.expectErrno(.efault, when: "for a name that runs out of mapped memory") { try create(end + page - 3) }
      for flags in [0x20, 0x100, 0x8000_0000, 4 | 0x20] as [UInt64] {
        p.expectErrno(.einval, when: "for flags \(flags)") { try create(name, flags: flags) }
      }
      p.expectErrno(.einval, when: "for two opposite flags") { try create(name, flags: 8 | 16) }
      for flags in [0, 1, 2, 3, 8, 9, 16, 18] as [UInt64] {
        p.expectSuccess("flags \(flags)") { try create(name, flags: flags) }
      }
    },
    ScenarioCase(
      "memfd_create03", "A memfd of huge pages is not written, not cut and not larger than the pool.",
      needs: Needs(hugePool: 2)
    ) { p in
      let file = try p.memfd(size: 2 * huge, flags: 4)
      p.expectErrno(.einval, when: "to write") { try p.write(file, "text") }
      let at = try p.map(1024, .shared, file: file)
      p.fill(at, pages: 1024)
      p.expectFilled(at, pages: 1024)
      p.expect(p.isHuge(at), true, "huge")
      p.expectErrno(.einval, when: "to unmap a part of a page") { try p.unmap(at, pages: 1) }
      try p.unmap(at, pages: 512)
      p.expectFilled(at + huge, pages: 512, from: 512)
      let other = try p.memfd(size: huge, flags: 4)
      p.expectErrno(.enomem, when: "to map more than the pool has") { try p.map(512, .shared, file: other) }
      p.expectErrno(.einval, when: "for a size of part of a page") { try p.truncate(file, page) }
    },
    ScenarioCase(
      "memfd_create04", "A size of huge pages can be asked for; one that does not exist is refused."
    ) { p in
      for logarithm in [14, 16, 19, 20, 21, 22, 23, 24, 25, 28, 29, 30, 31, 34] as [UInt64] {
        let size: PageSize? = logarithm == 21 ? .twoMiB : logarithm == 30 ? .oneGiB : nil
        if let size, p.host.pageSizes.contains(size) {
          p.expectSuccess("pages of 2^\(logarithm) bytes") { try p.memfd(flags: 4 | logarithm << 26) }
        } else {
          p.expectErrno(.enodev, when: "for pages of 2^\(logarithm) bytes") {
            try p.memfd(flags: 4 | logarithm << 26)
          }
        }
      }
    },
    ScenarioCase(
      "memfd.seals", "Seals forbid what they say, for the file and its mappings, and cannot be taken back."
    ) { p in
      let file = try p.memfd(size: 4 * page)
      let at = try p.map(4, .shared, file: file)
      p.store(at, "sealed")
      p.expectErrno(.ebusy, when: "to seal what can be stored to") { try p.addSeals(file, .write) }
      try p.unmap(at, pages: 4)
      try p.addSeals(file, [.write, .shrink])
      p.expectErrno(.eperm, when: "to write") { try p.write(file, from: p.put([1]), 8) }
      p.expectErrno(.eperm, when: "to map for stores") { try p.map(4, .shared, file: file) }
      p.expectErrno(.eperm, when: "to shrink") { try p.truncate(file, page) }
      p.expectErrno(.eperm, when: "to punch a hole") { try p.allocate(file, mode: 3, offset: 0, bytes: page) }
      p.expectSuccess("growing") { try p.truncate(file, 5 * page) }
      try p.addSeals(file, [.grow, .seal])
      p.expectErrno(.eperm, when: "to grow") { try p.truncate(file, 6 * page) }
      p.expectErrno(.eperm, when: "for another seal") { try p.addSeals(file, .futureWrite) }
      let readable = try p.map(4, .shared, file: file, protection: .read)
      p.expectLoads(readable, "sealed")
      p.expectErrno(.eacces, when: "for the right to store") { try p.protect(readable, [.read, .write]) }
      let copy = try p.map(1, file: file)
      p.store(copy, "copied")
      p.expectLoads(readable, "sealed")
      let unsealable = try p.memfd(flags: 0)
      p.expectErrno(.eperm, when: "for a file that cannot be sealed") { try p.addSeals(unsealable, .grow) }
    },
  ]
}
