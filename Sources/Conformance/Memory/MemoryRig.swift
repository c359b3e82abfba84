// SPDX-License-Identifier: MIT
internal import EMTCore
internal import MMU
internal import Machine
internal import Reference
internal import SimMemory
internal import VMM

/// A machine and the naive model beside it: every step runs on both, and they must look the same.
final class MemoryRig<Service: TranslationService, Walker: PageWalker> where Service.Root == Walker.Root {
  typealias Proc = Process<Service.Database>

  let machine: Machine<Service, Walker>
  let calls: KernelCalls<Service>
  var model = ModelComputer()
  var live: [Proc] = []
  var running: UInt32 = 0
  var nextPid: UInt32 = 1
  /// The model's number for each kernel file, by descriptor; anonymous shared memory gets numbers from 1000 on.
  var nextFile = 1000
  var breaks: [UInt32: UInt64] = [:]
  /// Mixes all results: equal on all drivers.
  var digest: UInt64 = 0
  /// What differs, once something does.
  var difference: String?
  /// How often memory ran out where that is allowed.
  var shortages = 0
  let mayRunShort: Bool
  /// Who has what besides memory.
  var possessions: [UInt32: Possessions] = [:]
  /// The model's file and the kernel's identifier of every shared-memory segment, by key.
  var segments: [UInt64: (identifier: UInt64, file: Int)] = [:]
  /// Swap areas that steps added.
  var swapAreas: [Int] = []
  private var steps = 0

  init(_ machine: Machine<Service, Walker>, mayRunShort: Bool) {
    self.machine = machine
    self.mayRunShort = mayRunShort
    calls = machine.calls
  }

  /// The first process with its open files.
  func start() {
    do throws(Errno) {
      let process = try calls.start(nextPid)
      live.append(process)
      model.start(nextPid)
      possessions[nextPid] = Possessions()
      nextPid += 1
      for file in MemoryStepGenerator.files {
        let request = SystemCallRequest(.memfdCreate, [0, 2], strings: [0: "file"])
        let descriptor = try calls.systemCall(process, request)
        // Descriptors 0 to 2 are taken by standard streams or not; the files get the numbers that steps use.
        guard descriptor == file else { return report("memfd \(descriptor) instead of \(file)") }
        let size = MemoryStepGenerator.filePages / 2
        _ = try calls.systemCall(process, SystemCallRequest(.ftruncate, [descriptor, size << 12]))
        model.files[Int(file)] = ModelFile(pageCount: size)
      }
      // Descriptor 6 stands for the first process.
      let pidfd = try calls.systemCall(process, SystemCallRequest(.pidfdOpen, [1]))
      if pidfd != MemoryStepGenerator.files.upperBound + 1 { report("pidfd \(pidfd)") }
      mapControlPage(process)
    } catch { report("starting: \(error)") }
  }

  /// Runs one step, and compares what it touched.
  func run(_ step: MemoryStep) {
    switch step {
    case .call(let index, let number, let arguments):
      perform(process(index), number, arguments)
    case .load(let index, let address): load(process(index), address)
    case .store(let index, let address, let value): store(process(index), address, value)
    case .transfer(let index, let other, let local, let remote, let bytes, let isWrite):
      transfer(process(index), local, process(other), remote, bytes, isWrite: isWrite)
    case .fork(let index): fork(process(index))
    case .exit(let index): exit(process(index))
    case .execute(let index): execute(process(index))
    case .clearSoftDirty(let index): clearSoftDirty(process(index))
    case .limit(let index, let pages): limit(process(index), pages: pages)
    case .swap(let isOn): swap(isOn: isOn)
    case .collapse: _ = calls.collapseInBackground()
    case .adviseFirst(let index, let advice, let start, let bytes):
      adviseFirst(process(index), advice, start, bytes)
    }
    machine.deliverInvalidations()
    steps += 1
    // The background job that makes huge pages runs now and then.
    if steps % 512 == 0 {
      _ = calls.collapseInBackground()
      machine.deliverInvalidations()
    }
  }

  /// Ends everything.
  func close() {
    let lost = machine.shutDown()
    if lost != 0 { report("\(lost) frames were not given back") }
  }

  func report(_ text: String) { if difference == nil { difference = text } }

  func mix(_ value: UInt64) {
    digest = (digest ^ value) &* 0x9E37_79B9_7F4A_7C15
    digest ^= digest >> 29
  }

  private func process(_ index: Int) -> Proc { live[index % live.count] }

  private func fork(_ parent: Proc) {
    guard live.count < 4 else { return }
    do throws(Errno) {
      let child = try calls.fork(parent, nextPid)
      live.append(child)
      model.fork(parent.pid, child: nextPid)
      breaks[nextPid] = breaks[parent.pid]
      possessions[nextPid] = possessions[parent.pid]
      possessions[nextPid]?.futureLock = 0
      possessions[nextPid]?.written = nil
      mix(UInt64(nextPid))
    } catch {
      expectShortage("fork: \(error)")
    }
    nextPid += 1
  }

  private func exit(_ process: Proc) {
    guard live.count > 1, process.pid != live[0].pid else { return }
    calls.exit(process.pid)
    if running == process.pid { running = 0 }
    model.exit(process.pid)
    breaks[process.pid] = nil
    possessions[process.pid] = nil
    live.removeAll { $0.pid == process.pid }
    mix(0xE817)
  }

  /// Memory ran out: fine only where the run says that it may.
  func expectShortage(_ text: String) {
    shortages += 1
    if !mayRunShort { report("\(text) although memory is not short") }
  }
}
