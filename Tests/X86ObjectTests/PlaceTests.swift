// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import X86Object

/// Placing a page at once gives the same object as attribute by attribute.
struct PlaceTests {
  /// The same format without its own `place`.
  private struct Plain: TranslationObject {
    var base: X86Object
    init(_ base: X86Object) { self.base = base }
    init(unmappedAt address: VirtualAddress, size: PageSize) {
      base = X86Object(unmappedAt: address, size: size)
    }
    func read(_ attribute: TranslationAttribute) throws(AttributeError) -> UInt64 {
      try base.read(attribute)
    }
    mutating func write(_ attribute: TranslationAttribute, _ value: UInt64) throws(AttributeError) -> UInt64 {
      try base.write(attribute, value)
    }
  }

  @Test(arguments: [PageSize.base, .twoMiB, .oneGiB])
  func `all grants in all page sizes`(_ size: PageSize) {
    for bits in 0..<UInt8(128) {
      var whole = X86Object(unmappedAt: VirtualAddress(1 << 40), size: size)
      var plain = Plain(whole)
      let frame = FrameNumber(3 << 18)
      whole.place(frame, PageGrants(rawValue: bits))
      plain.place(frame, PageGrants(rawValue: bits))
      #expect(whole.entry == plain.base.entry, "grants \(bits)")
    }
  }

  @Test func `an object that held something else keeps nothing of it`() throws {
    var object = X86Object(unmappedAt: VirtualAddress(1 << 40), size: .base)
    object.place(FrameNumber(5), [.readable, .writable, .user, .dirty, .special])
    try object.write(X86Attribute.protectionKey, 7)
    var plain = Plain(object)
    object.place(FrameNumber(9), .readable)
    plain.place(FrameNumber(9), .readable)
    #expect(object.entry == plain.base.entry)
    #expect(object.frame == FrameNumber(9))
    #expect(!object.isWritable)
  }
}
