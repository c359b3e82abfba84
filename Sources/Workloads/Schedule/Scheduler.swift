// SPDX-License-Identifier: MIT
public import Events

/// Merges the processes of one run into one stream of events; `Schedule` decides on the order.
public struct Scheduler<Source: ProcessSource> {
  @usableFromInline let sources: [Source]
  @usableFromInline let schedule: Schedule
  /// Children that the run made and that no file describes; known after `run`.
  public var untracedChildren: Int { schedule.untracedChildren }

  /// Takes the processes of one run. `parents`: the maker of a process, where its file says so.
  public init(_ sources: [Source], parents: [UInt32: UInt32] = [:]) {
    self.sources = sources
    schedule = Schedule(sources.map { ($0.process, parents[$0.process]) })
  }

  /// Feeds everything to `sink`.
  @inlinable
  public func run<Sink: EventSink>(into sink: inout Sink) throws(FeedFailure<Sink.Stop>) {
    while let (index, isFirst) = schedule.next() {
      let source = sources[index]
      if isFirst {
        let opening: ProcessOpening
        do throws(TraceError) { opening = try source.opening() } catch { throw .trace(error) }
        try feed(schedule.enter(index, opening), to: &sink)
      }
      try feed(schedule.resume(index), to: &sink)
      try run(source, index, into: &sink)
    }
  }

  /// Runs one process until another may have to run.
  @inlinable
  func run<Sink: EventSink>(
    _ source: Source, _ index: Int, into sink: inout Sink
  ) throws(FeedFailure<Sink.Stop>) {
    var mayYield = false
    while !mayYield {
      let item: ProcessItem
      if let held = schedule.takeHeld(index) { item = held } else { item = try source.next(into: &sink) }
      if case .access(let kind, let address, let size) = item {
        do throws(Sink.Stop) { try sink.access(kind, address, size: size) } catch { throw .sink(error) }
        continue
      }
      let verdict = schedule.decide(item, index)
      try feed(verdict.events, to: &sink)
      if let problem = verdict.problem {
        let (file, place) = source.place()
        throw .trace(TraceError(file: file, place: place, problem: problem))
      }
      mayYield = verdict.mayYield
    }
  }

  /// Passes events on.
  @inlinable
  func feed<Sink: EventSink>(_ events: [TraceEvent], to sink: inout Sink) throws(FeedFailure<Sink.Stop>) {
    for event in events {
      do throws(Sink.Stop) { try sink.event(event) } catch { throw .sink(error) }
    }
  }
}
