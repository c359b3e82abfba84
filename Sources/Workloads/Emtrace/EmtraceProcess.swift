// SPDX-License-Identifier: MIT
public import Events

/// One process of a recording in progress, from its compact stream; opened when the process begins.
@usableFromInline final class EmtraceProcess: ProcessSource {
  @usableFromInline let process: UInt32
  private let path: String
  @usableFromInline var decoder: EmtraceDecoder?

  init(path: String, process: UInt32) {
    self.path = path
    self.process = process
  }

  @usableFromInline func place() -> (file: String, place: TraceError.Place) {
    (path, decoder?.place() ?? .whole)
  }

  @usableFromInline func opening() throws(TraceError) -> ProcessOpening {
    let decoder = try EmtraceDecoder(InputFile(path: path))
    self.decoder = decoder
    var sink = CountingSink()
    do throws(FeedFailure<Never>) {
      if case .opening(let opening) = try decoder.next(into: &sink) { return opening }
    } catch {
      if case .trace(let error) = error { throw error }
    }
    throw decoder.error("the stream has no opening")
  }

  @usableFromInline func next<Sink: EventSink>(
    into sink: inout Sink
  ) throws(FeedFailure<Sink.Stop>) -> ProcessItem {
    guard let decoder else { return .end(isComplete: true) }
    switch try decoder.next(into: &sink) {
    case .item(.end(let isComplete)):
      self.decoder = nil
      return .end(isComplete: isComplete)
    case .item(let item): return item
    case .event(.refused(let refusal)): return .refused(refusal)
    case .event(.stackGrown(let address, let base)): return .stackGrown(faultAddress: address, base: base)
    case .event(.exec): return .exec
    default: throw .trace(decoder.error("an event that does not belong here"))
    }
  }
}
