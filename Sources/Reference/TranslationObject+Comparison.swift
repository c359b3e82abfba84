// SPDX-License-Identifier: MIT
public import EMTCore
internal import SimMemory

extension TranslationAttribute {
  /// All neutral attributes.
  public static var neutral: [TranslationAttribute] {
    (0..<neutralCount).map { TranslationAttribute(key: $0) }
  }

  /// The attribute's name as the sources spell it.
  public var name: String {
    let names = [
      "virtualAddress", "pageSize", "physicalAddress", "mapped", "present", "readable", "writable",
      "executable",
      "user", "accessed", "dirty", "global", "swapEntry", "softDirty", "userfaultWriteProtected", "numaHint",
      "special", "cacheMode",
    ]
    return Int(key) < names.count ? names[Int(key)] : "0x" + String(key, radix: 16)
  }
}

extension TranslationObject {
  /// The value of an attribute, or all ones where the driver does not have it.
  @inlinable func peek(_ attribute: TranslationAttribute) -> UInt64 {
    do { return try read(attribute) } catch { return ~0 }
  }

  /// Whether all neutral attributes are the same: `firstDifference` for one type, where every key is a constant.
  @inlinable func hasAllAttributes(of other: Self) -> Bool {
    start == other.start && size == other.size && isMapped == other.isMapped && isPresent == other.isPresent
      && physicalAddress == other.physicalAddress && isReadable == other.isReadable
      && isWritable == other.isWritable && isExecutable == other.isExecutable && isUser == other.isUser
      && isAccessed == other.isAccessed && isDirty == other.isDirty && isGlobal == other.isGlobal
      && swapEntry == other.swapEntry && isSoftDirty == other.isSoftDirty
      && isUserfaultWriteProtected == other.isUserfaultWriteProtected && hasNumaHint == other.hasNumaHint
      && isSpecial == other.isSpecial && cacheMode == other.cacheMode
  }

  /// The first neutral attribute in which the two objects differ, nil when they describe the same mapping.
  /// - Parameter hardwareMayAdd: accept accessed and dirty bits that this object has and `other` lacks.
  @inlinable public func firstDifference<Other: TranslationObject>(
    from other: Other, hardwareMayAdd: Bool = false
  ) -> TranslationAttribute? {
    for key in 0..<TranslationAttribute.neutralCount {
      let attribute = TranslationAttribute(key: key)
      let (mine, theirs) = (peek(attribute), other.peek(attribute))
      if mine == theirs { continue }
      if hardwareMayAdd, attribute == .accessed || attribute == .dirty, mine == 1 { continue }
      return attribute
    }
    return nil
  }

  /// Whether the two objects describe the same mapping in all neutral attributes.
  @inlinable public func describesSameMapping<Other: TranslationObject>(as other: Other) -> Bool {
    firstDifference(from: other) == nil
  }

  /// Place, size and every attribute that is not zero, in one line.
  public var summary: String {
    var words = ["\(start)+\(size)"]
    if !isMapped { words.append("unmapped") }
    if isPresent { words.append("-> \(physicalAddress)") }
    for attribute in TranslationAttribute.neutral where attribute.key > 4 && peek(attribute) != 0 {
      words.append(
        peek(attribute) == 1 ? attribute.name : "\(attribute.name)=0x\(String(peek(attribute), radix: 16))")
    }
    return words.joined(separator: " ")
  }
}
