// SPDX-License-Identifier: MIT
public import EMTCore
internal import MMU
public import Reference
public import SimMemory

/// The hardware of one CPU, with a small TLB that remembers what an access found.
@usableFromInline struct RememberingUnit<Database: TranslationDatabase> {
  @usableFromInline let unit: HardwareUnit<Database.Service.Root>
  /// Pages that accesses found, each with its space and as it was then.
  @usableFromInline var pages: [(space: AddressSpaceID, object: Database.Object)] = []
  @usableFromInline var oldest = 0

  @inlinable init(_ unit: HardwareUnit<Database.Service.Root>) { self.unit = unit }

  @inlinable mutating func remember(_ object: Database.Object, of space: AddressSpaceID) {
    pages.removeAll { $0.space == space && $0.object.start == object.start }
    if pages.count < 8 { return pages.append((space, object)) }
    oldest = (oldest + 1) & 7
    pages[oldest] = (space, object)
  }

  @inlinable mutating func forget(_ request: Invalidation) {
    var space: AddressSpaceID?
    if case .space(let only) = request.scope { space = only }
    unit.forget(space, request.range)
    pages.removeAll { page in
      (space == nil || page.space == space) && request.range.map { page.object.span.overlaps($0) } ?? true
    }
  }
}

// What hardware sees, sets and forgets.
extension DifferentialRig {
  /// Empties the mailboxes into walk caches and TLBs. What a TLB keeps then must still be right.
  @inlinable func deliver() {
    for cpu in 0..<subject.cpus {
      let mailbox = machine.platform.cpu(cpu).mailbox
      guard !units.isEmpty else {
        mailbox.drain { _ in }
        continue
      }
      if !mailbox.isEmpty { mailbox.drain { units[cpu].forget($0) } }
      let here = spaces[running[cpu]].context.spaceID
      for page in units[cpu].pages where page.space == here || page.space == .kernel {
        let database = page.space == .kernel ? spaces[4] : spaces[running[cpu]]
        let now = database.expectedPage(at: page.object.start)
        if page.object.leavesStaleTranslation(after: now) {
          report(
            "CPU \(cpu) was told to forget \(page.object.summary), now \(now?.summary ?? "a void")",
            "no flush")
        }
      }
    }
  }

  /// A CPU that runs on `space`, or one that is made to.
  @inlinable func cpu(on space: Int) -> Int {
    if let cpu = running.firstIndex(of: space) { return cpu }
    // Every CPU sees the kernel's half.
    if space == 4 { return 0 }
    let last = subject.cpus - 1
    do { try run(on: last, space) } catch { report("CPU \(last) runs on space \(space)", "\(error)") }
    return last
  }

  /// Compares what tables say to hardware with the model: first and last byte of every page, and the range's ends.
  @inlinable func compareHardware(_ space: Int, _ range: VirtualRange) {
    guard hasHardware else { return }
    let cpu = cpu(on: space)
    let root = service.base.registers[cpu]
    let database = spaces[space]
    var end = range.start
    for object in database.expected(in: range) {
      if end != object.start {
        // The first and the last page of the void before it.
        compareHardware(at: end, database.expectedPage(at: end), root)
        let last = VirtualAddress(object.start.raw &- 1)
        compareHardware(at: last, database.expectedPage(at: last), root)
      }
      compareHardware(at: object.start, object, root)
      end = object.end
      if object.size != .base { compareHardware(at: VirtualAddress(end.raw &- 1), object, root) }
    }
    if end != range.end || end.raw == 0 {
      compareHardware(at: end, database.expectedPage(at: end), root)
      let last = VirtualAddress(range.end.raw &- 1)
      compareHardware(at: last, database.expectedPage(at: last), root)
    }
  }

  @inlinable func compareHardware(
    at address: VirtualAddress, _ object: Database.Object?, _ root: Database.Service.Root
  ) {
    let view =
      units.isEmpty
      ? subject.hardware.flatMap { $0(machine.platform.memory, root, address) }
      : units[0].unit.probe(root, address)
    guard let object, object.isPresent && object.isReadable && !object.hasNumaHint else {
      if let view { report("hardware at \(address) sees nothing", "\(view)") }
      return
    }
    guard let view else { return report("hardware at \(address) sees \(object.summary)", "nothing") }
    if view.physicalAddress != object.physicalAddress || view.size != object.size
      || view.isWritable != object.isWritable
    {
      report("hardware at \(address) sees \(object.summary)", "\(view)")
    }
  }

  /// An access by hardware, which sets bits in the tables; the model is told.
  @inlinable func access(_ step: DifferentialStep) {
    guard !units.isEmpty else { return }
    let space = Int(step.space)
    let database = spaces[space]
    let cpu = cpu(on: space)
    let isUser = step.bits & 4 != 0
    let kind: AccessKind = step.bits & 3 == 0 ? .fetch : step.bits & 3 == 1 ? .load : .store
    let object = database.expected(at: step.start)
    let isAllowed =
      object.isPresent && object.isReadable && !object.hasNumaHint && (!isUser || object.isUser)
      && (kind != .store || object.isWritable) && (kind != .fetch || object.isExecutable)
    // Without the kernel's registers, a user's access to its half finds nothing, whatever is there.
    if isUser, step.isKernel { return }
    let view = units[cpu].unit.access(service.base.registers[cpu], step.start, kind, isUser)
    guard let view else {
      if isAllowed { report("\(kind) at \(step.start) is allowed: \(object.summary)", "a fault") }
      return
    }
    guard isAllowed, view.physicalAddress == object.physicalAddress, view.size == object.size else {
      return report("\(kind) at \(step.start): \(isAllowed ? "" : "a fault, ")\(object.summary)", "\(view)")
    }
    database.noteAccess(at: step.start, isStore: kind == .store)
    units[cpu].remember(database.expected(at: step.start), of: database.context.spaceID)
    // Accessed and dirty must be found now.
    _ = database.find(step.start)
  }
}
