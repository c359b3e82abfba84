// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory

extension ContractSuite {
  static func flushChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "FL-27", "FL-27 one address", "Every CPU that runs on the database is told, and nobody else."
      ) { bench in
        let database = try running(bench)
        database.flush(bench.page(5).advanced(by: 0x123))
        expectTold(bench, database, [bench.page(5)])
      },
      ContractCheck(
        "FL-27", "FL-27 absent CPUs",
        "A CPU that was on the database before forgets all of it when it comes back."
      ) { bench in
        let database = try running(bench)
        bench.run(bench.service.kernelDatabase, on: 1)
        database.flush(bench.page(5))
        _ = bench.drain(1)
        bench.run(database, on: 1)
        let requests = bench.drain(1)
        for address in [bench.page(5), bench.page(77), VirtualAddress(0)] {
          bench.expect(
            bench.covers(requests, address, of: database), "the returning CPU forgets \(address)",
            "\(requests)")
        }
        bench.run(bench.service.kernelDatabase, on: 1)
        _ = bench.drain(1)
        bench.run(database, on: 1)
        bench.equal(bench.drain(1).count, 0, "requests when it missed nothing")
      },
      ContractCheck(
        "FL-27", "FL-27 changes settle", "What a change owes reaches the CPUs when it is settled."
      ) { bench in
        let database = try running(bench)
        for size in bench.sizes {
          let object = bench.object(bench.home.advanced(by: size.bytes), size)
          try bench.insert(database, object)
          bench.equal(bench.drain(1).count + bench.drain(2).count, 0, "requests for an insertion")
          _ = bench.remove(database, object)
          expectTold(bench, database, [object.start])
        }
      },
      ContractCheck(
        "FL-28", "FL-28 range", "All pages of a range are covered, for short ranges and long ones."
      ) { bench in
        let database = try running(bench)
        for pages: UInt64 in [1, 2, 33, 34, 5000] {
          database.flush(VirtualRange(bench.page(3), bytes: pages << 12), stride: .base)
          expectTold(bench, database, [bench.page(3), bench.page(2 + pages)])
        }
        for size in bench.hugeSizes {
          database.flush(VirtualRange(bench.home, bytes: size.bytes * 3), stride: size)
          expectTold(bench, database, [bench.home, bench.home.advanced(by: size.bytes * 3 - 1)])
        }
        database.flush(VirtualRange(bench.home, bench.home), stride: .base)
        bench.equal(bench.drain(1).count, 0, "requests for an empty range")
      },
      ContractCheck("FL-29", "FL-29 everything", "The whole address space is forgotten.") { bench in
        let database = try running(bench)
        database.flushAll()
        expectTold(bench, database, [VirtualAddress(0), bench.home, VirtualAddress(0x7FFF_FFFF_F000)])
      },
      ContractCheck(
        "FL-29", "FL-29 kernel",
        "Flushes of the kernel's address space reach every CPU, for every address space."
      ) { bench in
        let database = try running(bench)
        let page = VirtualAddress(0xFFFF_8880_0000_0000)
        bench.service.kernelDatabase.flush(page)
        for cpu in 0..<bench.platform.cpuCount {
          let requests = bench.drain(cpu)
          bench.expect(
            bench.covers(requests, page, of: database), "CPU \(cpu) forgets the kernel's page", "\(requests)")
        }
      },
      ContractCheck(
        "FL-30", "FL-30 batch", "A batch sends nothing until it ends, then everything once; batches nest."
      ) { bench in
        let database = try running(bench)
        database.batch {
          database.flush(bench.page(3))
          database.batch { database.flush(bench.page(9)) }
          database.flush(VirtualRange(bench.page(20), bench.page(22)), stride: .base)
          bench.expect(bench.platform.cpu(1).mailbox.isEmpty, "nothing is sent inside a batch")
        }
        let requests = bench.drain(1)
        bench.equal(requests.count, 1, "requests for a batch")
        for number: UInt64 in [3, 9, 20, 21] {
          bench.expect(
            bench.covers(requests, bench.page(number), of: database), "page \(number) is covered",
            "\(requests)")
        }
        _ = bench.drain(2)
        database.batch { database.flushAll() }
        expectTold(bench, database, [VirtualAddress(0x1000), bench.home, VirtualAddress(0x7FFF_FFFF_F000)])
        database.batch {}
        bench.equal(bench.drain(1).count, 0, "requests for an empty batch")
      },
      ContractCheck(
        "FL-30", "FL-30 batch that throws",
        "A batch that ends with an error flushes what was collected, and passes results on."
      ) { bench in
        let database = try running(bench)
        do {
          try database.batch {
            database.flush(bench.page(3))
            throw TranslationError.refusedByCaller
          }
          bench.fail("the error comes out", "it does not")
        } catch { bench.equal(error as? TranslationError, .refusedByCaller, "the error") }
        expectTold(bench, database, [bench.page(3)])
        bench.equal(database.batch { 7 }, 7, "the result of a batch")
        database.flush(bench.page(4))
        expectTold(bench, database, [bench.page(4)])
      },
    ]
  }

  /// A database that CPUs 1 and 2 run on, with empty mailboxes.
  private static func running<Database>(_ bench: ContractBench<Database>) throws -> Database {
    let database = try bench.makeDatabase()
    for cpu in 1...2 { bench.run(database, on: cpu) }
    for cpu in 0..<bench.platform.cpuCount { _ = bench.drain(cpu) }
    return database
  }

  private static func expectTold<Database>(
    _ bench: ContractBench<Database>, _ database: Database, _ addresses: [VirtualAddress]
  ) {
    for cpu in 0..<bench.platform.cpuCount {
      let requests = bench.drain(cpu)
      if cpu == 1 || cpu == 2 {
        for address in addresses {
          bench.expect(
            bench.covers(requests, address, of: database), "CPU \(cpu) is told about \(address)",
            "\(requests)")
        }
      } else {
        bench.equal(requests.count, 0, "requests to CPU \(cpu), which never ran on it")
      }
    }
  }
}
