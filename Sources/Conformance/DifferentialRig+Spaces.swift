// SPDX-License-Identifier: MIT
public import EMTCore
public import Reference
public import SimMemory

// Steps about whole address spaces.
extension DifferentialRig {
  /// Destroys `space` and makes it anew; `step` says which allocation of that fails at first.
  @inlinable func recreate(_ space: Int, _ step: DifferentialStep) throws {
    frames.stopInjectingFailures()
    let old = spaces[space]
    try leave(space)
    let (bytes, before) = (old.footprint.total, frames.freeFrames)
    try service.destroy(old)
    old.context.destroy()
    let returned = (frames.freeFrames &- before) << 12
    if returned != bytes { report("destroying gives \(bytes) bytes back", "\(returned)") }
    for cpu in units.indices { units[cpu].pages.removeAll { $0.space == old.context.spaceID } }
    let context = makeContext()
    if step.failAfter != nil {
      let free = frames.freeFrames
      inject(step)
      do {
        let database = try service.makeDatabase(context)
        frames.stopInjectingFailures()
        spaces[space] = database
        return
      } catch {
        let failed = hasInjectedFailure(step)
        if error != .outOfMemory || !failed { report("a new database", "\(error)") }
        if frames.freeFrames != free { report("\(free) free frames after a failure", "\(frames.freeFrames)") }
      }
    }
    spaces[space] = try service.makeDatabase(context)
  }

  /// Makes all CPUs leave `space`, after trying to destroy it under them.
  @inlinable func leave(_ space: Int) throws {
    let cpus = spaces[space].context.runningOn
    if cpus != 0 {
      do {
        try service.destroy(spaces[space])
        report("inUse", "a database is destroyed while CPUs run on it")
      } catch {
        if error != .inUse(cpus: cpus) { report("inUse(cpus: \(cpus))", "\(error)") }
      }
    }
    for cpu in 0..<subject.cpus where running[cpu] == space { try run(on: cpu, 4) }
  }

  /// A new space that gets everything this one has, area by area, as fork does.
  @inlinable func fork(_ step: DifferentialStep) throws {
    let (from, to) = (Int(step.space), (Int(step.space) + 1 + Int(step.bits % 3)) % 4)
    var plain = step
    plain.failAfter = nil
    try recreate(to, plain)
    inject(step)
    for area in areas(of: from) {
      touched.append((from, area))
      touched.append((to, area))
      let owed = try spaces[from].copy(area, into: spaces[to]) { object in
        [.shareProtected, .share, .shareProtected, .skip][Int((object.start.pageNumber ^ step.bits) & 3)]
      } copied: { _ in
      }
      spaces[from].settle(owed)
    }
  }

  @inlinable func purge(_ step: DifferentialStep) throws {
    let space = Int(step.space)
    for area in areas(of: space) {
      touched.append((space, area))
      spaces[space].settle(try spaces[space].removeAll(in: area) { _ in })
    }
  }

  /// Where `space` has anything: ranges around objects that are less than 2 MiB apart.
  @inlinable func areas(of space: Int) -> [VirtualRange] {
    var areas: [VirtualRange] = []
    for object in spaces[space].mappedObjects {
      if let last = areas.last, object.start.raw &- last.end.raw < 2 << 20 {
        areas[areas.count - 1].end = object.end
      } else {
        areas.append(object.span)
      }
    }
    return areas
  }

  @inlinable func inject(_ step: DifferentialStep) {
    if let successes = step.failAfter {
      frames.injectFailure(after: successes, staysBroken: !step.failsOnce)
    }
  }

  /// Ends the injection.
  /// - Returns: whether an allocation failed because of it.
  @inlinable func hasInjectedFailure(_ step: DifferentialStep) -> Bool {
    let requests = frames.stopInjectingFailures()
    return step.failAfter.map { requests > UInt64($0) } ?? false
  }
}
