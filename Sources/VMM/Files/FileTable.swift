// SPDX-License-Identifier: MIT

/// All files that somebody holds, by number, and the names that lead to them.
public struct FileTable {
  private var files: [FileObject?] = [nil]
  private var free: [UInt32] = []
  private var names: [String: FileID] = [:]

  /// No files.
  public init() {}

  /// How many files there are.
  public var count: Int { files.count - 1 - free.count }

  /// The file with a number that somebody holds.
  public subscript(id: FileID) -> FileObject {
    guard let file = files[Int(id.raw)] else { preconditionFailure("file \(id.raw) is gone") }
    return file
  }

  /// All files.
  public var all: [FileID] { files.indices.filter { files[$0] != nil }.map { FileID(UInt32($0)) } }

  /// A new file that nobody holds yet.
  public mutating func make(
    _ kind: FileObject.Kind, size: UInt64 = 0, mayBeLarger: Bool = false, seals: Seals = .seal
  ) -> FileID {
    let file = FileObject(kind: kind, size: size, mayBeLarger: mayBeLarger, seals: seals)
    if let slot = free.popLast() {
      files[Int(slot)] = file
      return FileID(slot)
    }
    files.append(file)
    return FileID(UInt32(files.count - 1))
  }

  /// One more holder.
  public func retain(_ id: FileID) { self[id].holders += 1 }

  /// One holder less. The kernel frees the pages of a file that nothing leads to any more.
  public func release(_ id: FileID) {
    self[id].holders -= 1
    precondition(self[id].holders >= 0, "file released more often than retained")
  }

  /// Whether nobody holds or maps the file and no name leads to it.
  public func isUnreachable(_ id: FileID) -> Bool {
    self[id].holders == 0 && self[id].mappedPages == 0 && !self[id].hasName
  }

  /// Forgets a file without pages.
  public mutating func discard(_ id: FileID) {
    precondition(self[id].pages.count == 0, "a file with pages is not discarded")
    files[Int(id.raw)] = nil
    free.append(id.raw)
  }

  /// The file that `path` names.
  public func named(_ path: String) -> FileID? { names[path] }

  /// Makes `path` name the file.
  /// - Returns: the file that it named before, if that is a different one.
  public mutating func name(_ id: FileID, _ path: String) -> FileID? {
    let old = names.updateValue(id, forKey: path)
    self[id].hasName = true
    guard let old, old != id else { return nil }
    self[old].hasName = names.values.contains(old)
    return old
  }

  /// Makes `path` name nothing.
  /// - Returns: the file that it named.
  public mutating func unname(_ path: String) -> FileID? {
    guard let id = names.removeValue(forKey: path) else { return nil }
    self[id].hasName = names.values.contains(id)
    return id
  }

  /// Makes no path name anything: at shutdown.
  public mutating func unnameAll() {
    names = [:]
    for id in all { self[id].hasName = false }
  }
}
