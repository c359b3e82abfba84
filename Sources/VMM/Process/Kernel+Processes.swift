// SPDX-License-Identifier: MIT
public import EMTCore
internal import SimMemory

extension Kernel {
  /// A process with an empty address space.
  public func start(_ pid: UInt32) throws(Errno) -> Process<Database> {
    guard processes[pid] == nil else { throw .eexist }
    let process = Process(pid: pid, space: try makeSpace(), descriptors: DescriptorTable())
    processes[pid] = process
    return process
  }

  /// A child with a copy-on-write copy of the parent's memory.
  /// - Throws: `.enomem`: no child exists then, and the parent is as before.
  @inlinable public func fork(_ parent: Process<Database>, child pid: UInt32) throws(Errno) -> Process<
    Database
  > {
    let mark = meter.enter(.systemCall)
    defer { meter.leave(mark) }
    guard !exists(pid) else { throw .eexist }
    let space = try makeSpace()
    do {
      try copyMemory(of: parent.space, into: space)
    } catch {
      empty(space)
      destroy(space)
      throw error
    }
    return adopt(pid, space, of: parent)
  }

  /// A child that borrows the parent's address space until it executes or exits, or a thread group of its own.
  public func share(_ parent: Process<Database>, child pid: UInt32) throws(Errno) -> Process<Database> {
    guard processes[pid] == nil else { throw .eexist }
    parent.space.users += 1
    return adopt(pid, parent.space, of: parent)
  }

  /// Gives a process that borrows its parent's address space a copy of its own.
  @inlinable public func unshare(_ process: Process<Database>) throws(Errno) {
    let old = process.space
    guard old.users > 1 else { return }
    let space = try makeSpace()
    do {
      try copyMemory(of: old, into: space)
    } catch {
      empty(space)
      destroy(space)
      throw error
    }
    process.move(to: space)
    leave(old)
  }

  /// Replaces the process's address space by an empty one.
  public func execute(_ process: Process<Database>) throws(Errno) {
    let mark = meter.enter(.systemCall)
    defer { meter.leave(mark) }
    meter.count(.systemCallEntry)
    let old = process.space
    let space = try makeSpace()
    space.layout.limits = old.layout.limits
    process.move(to: space)
    leave(old)
  }

  /// Ends a process: its descriptors are closed, and its address space goes with its last user.
  public func exit(_ pid: UInt32) {
    guard let process = processes.removeValue(forKey: pid) else { return }
    let mark = meter.enter(.systemCall)
    defer { meter.leave(mark) }
    meter.count(.systemCallEntry)
    for descriptor in process.descriptors.all {
      if let lost = process.descriptors.close(descriptor) { releaseFile(lost.file) }
    }
    leave(process.space)
  }

  @usableFromInline func exists(_ pid: UInt32) -> Bool { processes[pid] != nil }

  @usableFromInline
  func adopt(_ pid: UInt32, _ space: Space<Database>, of parent: Process<Database>) -> Process<Database> {
    let child = Process(pid: pid, space: space, descriptors: parent.descriptors.inherited())
    child.directory = parent.directory
    processes[pid] = child
    return child
  }

  /// One user of the space less.
  @usableFromInline func leave(_ space: Space<Database>) {
    space.users -= 1
    guard space.users == 0 else { return }
    empty(space)
    destroy(space)
  }

  /// Makes CPUs that run on the space run on the kernel's, and gives its tables back.
  @usableFromInline func destroy(_ space: Space<Database>) {
    let context = space.database.context
    do {
      for cpu in 0..<platform.cpuCount where context.runningOn >> UInt64(cpu) & 1 == 1 {
        _ = try service.switchTo(service.kernelDatabase, on: cpu)
      }
      try service.destroy(space.database)
    } catch { preconditionFailure("an unused address space could not be destroyed: \(error)") }
    let forget = Invalidation(scope: .space(context.spaceID), range: nil)
    for cpu in 0..<platform.cpuCount { platform.cpu(cpu).mailbox.post(forget) }
    freeSpaceIDs.append(context.spaceID.raw)
    context.destroy()
  }

  @usableFromInline func makeSpace() throws(Errno) -> Space<Database> {
    let id: UInt16
    if let recycled = freeSpaceIDs.popLast() {
      id = recycled
    } else {
      guard nextSpaceID < 4096 else { throw .eagain }
      id = nextSpaceID
      nextSpaceID += 1
    }
    let context = DatabaseContext(
      platform: platform, spaceID: AddressSpaceID(id), pageSizes: service.pageSizes)
    do {
      return Space(database: try service.makeDatabase(context))
    } catch {
      context.destroy()
      freeSpaceIDs.append(id)
      throw .enomem
    }
  }
}
