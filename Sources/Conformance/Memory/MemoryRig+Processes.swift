// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Machine
internal import Reference
internal import SimMemory
internal import VMM

// Steps that are about a process, or the machine, rather than about pages.
extension MemoryRig {
  /// A page of every process for structures that calls read or write.
  func mapControlPage(_ process: Proc) {
    perform(process, .mmap, [MemoryStepGenerator.controlPage, 4096, 3, 0x32, .max, 0])
  }

  /// The process starts another program.
  func execute(_ process: Proc) {
    do throws(Errno) { try calls.execute(process) } catch { return expectShortage("exec: \(error)") }
    if running == process.pid { running = 0 }
    model.execute(process.pid)
    breaks[process.pid] = nil
    possessions[process.pid]?.futureLock = 0
    possessions[process.pid]?.written = nil
    mix(0xE8EC)
    // A limit below one page refuses even that.
    process.space.layout.limits.addressSpace = .max
    possessions[process.pid]?.limit = 0
    mapControlPage(process)
  }

  /// All mappings together may have `pages` from now on.
  func limit(_ process: Proc, pages: UInt64) {
    process.space.layout.limits.addressSpace = pages == 0 ? .max : pages << 12
    possessions[process.pid]?.limit = pages
  }

  /// Nothing may grow over its limit.
  func checkLimit(_ process: Proc, _ number: SystemCallNumber, _ before: Int, isDone: Bool) {
    guard isDone, let limit = possessions[process.pid]?.limit, limit > 0 else { return }
    let count = model.processes[process.pid]?.count ?? 0
    if count > before, count > Int(limit) {
      report("\(number) maps \(count) pages in all, and only \(limit) are allowed")
    }
  }

  /// Adds a swap area, or brings back what the last one holds and removes it. Where there is no swap nothing happens.
  func swap(isOn: Bool) {
    guard mayRunShort else { return }
    do throws(Errno) {
      if isOn, swapAreas.count < 3 {
        swapAreas.append(try machine.kernel.swapOn(pages: 2000, priority: swapAreas.count - 1))
      } else if !isOn, let area = swapAreas.last {
        try machine.kernel.swapOff(area)
        swapAreas.removeLast()
      }
    } catch { expectShortage("swap: \(error)") }
  }

  /// Soft-dirty bits are cleared: from now on only stores set them.
  func clearSoftDirty(_ process: Proc) {
    machine.kernel.clearReferences(process.space, .softDirty)
    possessions[process.pid]?.written = []
  }

  /// The pages in `range` may be others now.
  func forgetWritten(_ pid: UInt32, _ range: Range<UInt64>) {
    guard let written = possessions[pid]?.written, !written.isEmpty, !range.isEmpty else { return }
    possessions[pid]?.written = written.filter { !range.contains($0) }
  }

  /// Pages of files may be gone.
  func forgetAllWritten() {
    for pid in possessions.keys where possessions[pid]?.written != nil { possessions[pid]?.written = [] }
  }

  /// Every page that was stored into since soft-dirty bits were cleared has the bit.
  func compareWritten(_ process: Proc) {
    for number in possessions[process.pid]?.written ?? [] where difference == nil {
      guard machine.kernel.pageMap(process.space, page(number))[0].isSoftDirty else {
        return report(
          "page \(hex(number << 12)) of process \(process.pid) was stored into, and is not soft-dirty")
      }
    }
  }

  /// Whether all bytes of `words` got to where they were stored: memory may have run out.
  private func holds(_ process: Proc, _ address: UInt64, _ words: [UInt64]) -> Bool {
    let contents = model.contents(process.pid, address >> 12)
    return words.indices.allSatisfy { place in
      (0..<8).allSatisfy { index in
        contents[UInt16(address & 4095) + UInt16(place * 8 + index)]
          == UInt8(truncatingIfNeeded: words[place] >> UInt64(index * 8))
      }
    }
  }

  /// `process_madvise` on the first process, whose descriptor every process has.
  func adviseFirst(_ process: Proc, _ advice: UInt64, _ start: UInt64, _ bytes: UInt64) {
    let (target, vector) = (live[0], MemoryStepGenerator.controlPage)
    for (place, word) in [start, bytes].enumerated() {
      for index in 0..<8 {
        store(
          process, vector + UInt64(place * 8 + index), UInt8(truncatingIfNeeded: word >> UInt64(index * 8)))
      }
    }
    guard difference == nil, holds(process, vector, [start, bytes]) else { return }
    let descriptor = MemoryStepGenerator.files.upperBound + 1
    let shortagesBefore = machine.kernel.timesOutOfMemory
    var result: UInt64 = 0
    var failure: Errno?
    do throws(Errno) {
      let arguments = [descriptor, vector, 1, advice, 0]
      result = try calls.systemCall(process, SystemCallRequest(.processMadvise, arguments))
    } catch { failure = error }
    mix(failure.map { UInt64($0.rawValue) << 56 } ?? result)
    if machine.kernel.timesOutOfMemory > shortagesBefore { expectShortage("process_madvise") }
    let isOwn = target.pid == process.pid
    if failure == nil, result != bytes { report("process_madvise advises \(result) of \(bytes) bytes") }
    if !isOwn, advice == 4, failure == nil { report("process_madvise drops memory of another process") }
    let touched = pages(start, bytes)
    if isOwn, advice == 4, start & 4095 == 0 { noteAdvice(target, 4, touched) }
    compare(target, touched)
  }
}
