// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
internal import SimMemory

extension Kernel {
  /// A process with an empty address space.
  @inlinable @inline(never)
  public func start(_ pid: UInt32) throws(Errno) -> Process<Database> {
    guard !exists(pid) else { throw .eexist }
    return adopt(pid, try makeSpace())
  }

  /// A child with a copy-on-write copy of the parent's memory.
  /// - Throws: `.enomem`: no child exists then, and the parent is as before.
  @inlinable @inline(never)
  public func fork(_ parent: Process<Database>, child pid: UInt32) throws(Errno) -> Process<Database> {
    let mark = meter.enter(.systemCall)
    defer { meter.leave(mark) }
    guard !exists(pid) else { throw .eexist }
    let space = try makeSpace(like: parent.space)
    do {
      try copyMemory(of: parent.space, into: space)
    } catch {
      if !Mutation.failedForkLeaks.isPlanted { empty(space) }
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
    let space = try makeSpace(like: old)
    do {
      try copyMemory(of: old, into: space)
    } catch {
      empty(space)
      destroy(space)
      throw error
    }
    process.move(to: space)
    reload(process)
    leave(old)
  }

  /// Replaces the process's address space by an empty one.
  @inlinable @inline(never)
  public func execute(_ process: Process<Database>) throws(Errno) {
    let mark = meter.enter(.systemCall)
    defer { meter.leave(mark) }
    meter.count(.systemCallEntry)
    let old = process.space
    let space = try makeSpace(like: old)
    inherit(old.layout, in: space)
    keepPlacement(space, old)
    process.move(to: space)
    process.keyRights = .initial
    reload(process)
    leave(old)
  }

  /// What a new program keeps of the old one's address space.
  @usableFromInline func inherit(_ layout: SpaceLayout, in space: Space<Database>) {
    space.layout.limits = layout.limits
    space.layout.mergesEverything = layout.mergesEverything
    space.layout.mayMerge = layout.mergesEverything
    space.layout.disablesHugePages = layout.disablesHugePages
  }

  /// Ends a process: its descriptors are closed, and its address space goes with its last user.
  @inlinable @inline(never)
  public func exit(_ pid: UInt32) {
    let mark = meter.enter(.systemCall)
    defer { meter.leave(mark) }
    meter.count(.systemCallEntry)
    guard let process = removeProcess(pid) else { return }
    leave(process.space)
  }

  /// Takes a process out of the table and closes its descriptors.
  @usableFromInline func removeProcess(_ pid: UInt32) -> Process<Database>? {
    guard let process = processes.removeValue(forKey: pid) else { return nil }
    takeOffCPUs(process)
    if let parent = processes[process.parent] {
      parent.usageOfChildren.add(process.usage)
      parent.usageOfChildren.add(process.usageOfChildren)
    }
    for descriptor in process.descriptors.all {
      if let lost = process.descriptors.close(descriptor) { releaseFile(lost.file) }
    }
    return process
  }

  @usableFromInline func exists(_ pid: UInt32) -> Bool { processes[pid] != nil }

  @usableFromInline func adopt(_ pid: UInt32, _ space: Space<Database>) -> Process<Database> {
    space.layout.placement.policy = numaCell.value.initialPolicy
    let process = Process(pid: pid, space: space, descriptors: DescriptorTable())
    processes[pid] = process
    return process
  }

  @usableFromInline
  func adopt(_ pid: UInt32, _ space: Space<Database>, of parent: Process<Database>) -> Process<Database> {
    let child = Process(pid: pid, space: space, descriptors: parent.descriptors.inherited())
    child.directory = parent.directory
    child.user = parent.user
    child.privileges = parent.privileges
    child.keyRights = parent.keyRights
    child.parent = parent.pid
    processes[pid] = child
    return child
  }

  /// One user of the space less.
  @inlinable func leave(_ space: Space<Database>) {
    space.users -= 1
    guard space.users == 0 else { return }
    empty(space)
    destroy(space)
  }

  /// Makes CPUs that run on the space run on the kernel's, and gives its tables back.
  @inlinable func destroy(_ space: Space<Database>) {
    let context = space.database.context
    let loaded = context.runningOn | context.restingOn
    context.interrupt(loaded)
    do {
      for cpu in 0..<platform.cpuCount where loaded >> UInt64(cpu) & 1 == 1 {
        _ = try service.switchTo(service.kernelDatabase, on: cpu)
      }
      try service.destroy(space.database)
    } catch { preconditionFailure("an unused address space could not be destroyed: \(error)") }
    let forget = Invalidation(scope: .space(context.spaceID), range: nil)
    let told = Mutation.spaceNumberReusedWarm.isPlanted ? 0 : platform.cpuCount
    for cpu in 0..<told { platform.cpu(cpu).mailbox.post(forget) }
    meter.count(.spaceChange)
    unregister(space)
    recycle(context.spaceID)
    context.destroy()
  }

  @usableFromInline func keepPlacement(_ space: Space<Database>, _ old: Space<Database>) {
    space.layout.placement = old.layout.placement
  }

  /// An empty address space, whose tables come from where those of `parent` come from.
  @inlinable func makeSpace(like parent: Space<Database>? = nil) throws(Errno) -> Space<Database> {
    meter.count(.spaceChange)
    let id = try takeSpaceID()
    if counters.value.placesPages { if let parent { aim(parent) } else { aimAtNobody() } }
    let context = DatabaseContext(
      platform: platform, spaceID: id, pageSizes: service.pageSizes, node: nodeForTables())
    do {
      let space = register(Space(database: try makeDatabase(context)))
      if counters.value.placesPages, let parent { inheritGroup(space, parent) }
      return space
    } catch {
      context.destroy()
      recycle(id)
      throw .enomem
    }
  }

  @usableFromInline func takeSpaceID() throws(Errno) -> AddressSpaceID {
    if let recycled = freeSpaceIDs.popLast() { return AddressSpaceID(recycled) }
    guard nextSpaceID < 4096 else { throw .eagain }
    nextSpaceID += 1
    return AddressSpaceID(nextSpaceID - 1)
  }

  @usableFromInline func recycle(_ id: AddressSpaceID) { freeSpaceIDs.append(id.raw) }
}
