// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference
internal import SimMemory

extension ContractSuite {
  static func serviceChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "SV-9", "SV-9 boot",
        "After booting every CPU runs on the kernel's address space; unknown options are refused."
      ) { bench in
        for cpu in 0..<bench.platform.cpuCount {
          bench.equal(try bench.service.current(on: cpu).context.spaceID, .kernel, "the space of CPU \(cpu)")
        }
        let before = bench.frames.freeFrames
        do throws(ServiceError) {
          _ = try Database.Service.boot(bench.platform, options: DriverOptions(["no-such-option": "1"]))
          bench.fail("an unknown option is refused", "the service boots")
        } catch {
          if case .badOption(let name, _) = error {
            bench.equal(name, "no-such-option", "the refused option")
          } else {
            bench.fail("badOption", "\(error)")
          }
        }
        bench.equal(bench.frames.freeFrames, before, "free frames after a refusal")
      },
      ContractCheck(
        "SV-9", "SV-9 boot without memory",
        "Booting without memory fails and gives everything back; so does shutting down."
      ) { bench in
        let before = bench.frames.freeFrames
        for successes in 0..<5000 {
          bench.frames.injectFailure(after: successes, staysBroken: true)
          var service: Database.Service?
          do throws(ServiceError) {
            service = try Database.Service.boot(bench.platform, options: bench.subject.options)
          } catch { bench.equal(error, .outOfMemory, "booting with \(successes) frames") }
          bench.frames.stopInjectingFailures()
          service?.shutDown()
          bench.equal(bench.frames.freeFrames, before, "free frames afterwards")
          if service != nil { return }
        }
        bench.fail("booting needs less than 5000 allocations", "it needs more")
      },
      ContractCheck(
        "SV-10", "SV-10 page sizes", "The base page is always offered, and every offered size can be mapped."
      ) { bench in
        bench.expect(bench.service.pageSizes.contains(.base), "4 KiB is offered")
        let database = try bench.makeDatabase()
        for size in bench.sizes {
          try bench.insert(database, bench.object(bench.home.advanced(by: size.bytes), size))
        }
      },
      ContractCheck("SV-11", "SV-11 make", "A new database is empty and independent of all others.") {
        bench in
        let (first, second) = (try bench.makeDatabase(), try bench.makeDatabase())
        let object = bench.object(bench.page(5))
        try bench.insert(first, object)
        let range = VirtualRange(page: bench.home, .twoMiB)
        try bench.state(second, range, is: [], "the other database")
        try bench.insert(second, bench.object(bench.page(5), shiftedBy: 3))
        try bench.state(first, range, is: [object], "the first database")
        try bench.state(try bench.makeDatabase(), range, is: [], "a third database")
      },
      ContractCheck(
        "SV-11", "SV-11 make without memory",
        "Making a database without memory fails and gives everything back."
      ) { bench in
        let before = bench.frames.freeFrames
        for successes in 0..<5000 {
          let context = bench.makeContext()
          defer { context.destroy() }
          bench.frames.injectFailure(after: successes, staysBroken: true)
          var database: Database?
          do throws(ServiceError) { database = try bench.service.makeDatabase(context) } catch {
            bench.equal(error, .outOfMemory, "a database with \(successes) frames")
          }
          bench.frames.stopInjectingFailures()
          if let database {
            try bench.service.destroy(database)
            return
          }
          bench.equal(bench.frames.freeFrames, before, "free frames after failing")
        }
      },
    ]
  }

  static func switchChecks<Database>() -> [ContractCheck<Database>] {
    [
      ContractCheck(
        "SV-12", "SV-12 in use", "A database that a CPU runs on cannot be destroyed, and stays as it is."
      ) { bench in
        let database = try bench.makeDatabase()
        let object = bench.object(bench.page(1))
        try bench.insert(database, object)
        bench.run(database, on: 1)
        bench.run(database, on: 2)
        do throws(ServiceError) {
          try bench.service.destroy(database)
          bench.fail("destroy is refused", "success")
        } catch { bench.equal(error, .inUse(cpus: 0b110), "destroy") }
        bench.same(database.find(object.start), object, "a mapping after the refusal")
        bench.run(bench.service.kernelDatabase, on: 1)
        bench.run(bench.service.kernelDatabase, on: 2)
      },
      ContractCheck(
        "SV-13", "SV-13 switch",
        "A switch returns the database before, per CPU, and hardware walks from the new one at once."
      ) { bench in
        let (first, second) = (try bench.makeDatabase(), try bench.makeDatabase())
        let here = bench.object(bench.page(1))
        try bench.insert(first, here)
        bench.equal(
          try bench.service.switchTo(first, on: 1).context.spaceID, .kernel, "before the first switch")
        bench.equal(
          try bench.service.switchTo(second, on: 1).context.spaceID, first.context.spaceID,
          "before the second")
        bench.equal(
          try bench.service.switchTo(second, on: 1).context.spaceID, second.context.spaceID,
          "before the third")
        bench.equal(second.context.runningOn, 0b10, "CPUs on the second database")
        bench.equal(first.context.runningOn, 0, "CPUs on the first database")
        bench.checkHardware(first, here.span, [here])
        bench.checkHardware(second, here.span, [])
        for cpu in [-1, bench.platform.cpuCount] {
          do throws(ServiceError) {
            _ = try bench.service.switchTo(first, on: cpu)
            bench.fail("CPU \(cpu) does not exist", "it was switched")
          } catch { bench.equal(error, .noSuchCPU(cpu), "switching CPU \(cpu)") }
        }
      },
      ContractCheck("SV-14", "SV-14 current", "Each CPU's database can be read back and used.") { bench in
        let database = try bench.makeDatabase()
        bench.run(database, on: 2)
        let current = try bench.service.current(on: 2)
        bench.equal(current.context.spaceID, database.context.spaceID, "the space of CPU 2")
        try bench.insert(current, bench.object(bench.page(4)))
        bench.expect(
          database.find(bench.page(4)).isMapped, "what is mapped through one handle is seen through the other"
        )
        bench.equal(try bench.service.current(on: 0).context.spaceID, .kernel, "the space of CPU 0")
        do throws(ServiceError) {
          _ = try bench.service.current(on: 64)
          bench.fail("CPU 64 does not exist", "it runs on something")
        } catch { bench.equal(error, .noSuchCPU(64), "CPU 64") }
      },
      ContractCheck(
        "SV-15", "SV-15 kernel",
        "What the kernel maps is seen through every database at once, and goes everywhere at once."
      ) { bench in
        let kernel = bench.service.kernelDatabase
        let early = try bench.makeDatabase()
        var pages: [Database.Object] = []
        for size in bench.sizes {
          var page = bench.object(VirtualAddress(0xFFFF_8880_0000_0000 + size.bytes * 4), size)
          page.isUser = false
          page.physicalAddress = PhysicalAddress(size.bytes * 2)
          pages.append(page)
        }
        try bench.insert(kernel, pages)
        let late = try bench.makeDatabase()
        for database in [early, late, kernel] {
          for page in pages {
            let found = database.find(page.start)
            // Hardware sees it through every root. Software asks the kernel's database; another may know nothing.
            if found.isMapped || database.context.spaceID == .kernel {
              bench.same(found, page, "a kernel page in space \(database.context.spaceID.raw)")
            }
            bench.checkHardware(database, page.span, [page])
          }
        }
        for page in pages {
          bench.expect(bench.remove(kernel, page).error == nil, "the kernel page goes")
          for database in [early, late, kernel] {
            bench.expect(!database.find(page.start).isMapped, "a kernel page is gone everywhere")
            bench.checkHardware(database, page.span, [])
          }
        }
      },
    ]
  }
}
