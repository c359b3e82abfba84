// SPDX-License-Identifier: MIT
public import EMTCore
internal import SimMemory

/// One address space: its layout, its translations, its counters. Threads and vfork children share one.
public final class Space<Database: TranslationDatabase> {
  /// The translations.
  public let database: Database
  /// What is mapped where.
  public var layout: SpaceLayout
  /// Base pages that are mapped and in memory.
  public var residentPages: UInt64 = 0
  /// Faults.
  public var faults = FaultCounts()
  /// How many processes and threads use the space.
  public var users = 1

  /// An address space over `database`.
  @inlinable public init(database: Database, layout: SpaceLayout = SpaceLayout()) {
    self.database = database
    self.layout = layout
  }
}

/// A process: an address space and descriptors.
public final class Process<Database: TranslationDatabase> {
  /// The process's number.
  public let pid: UInt32
  /// Its address space.
  public internal(set) var space: Space<Database>
  /// Its descriptors.
  public var descriptors: DescriptorTable
  /// The directory that relative paths start from, as far as it is known.
  public var directory = ""

  @usableFromInline init(pid: UInt32, space: Space<Database>, descriptors: DescriptorTable) {
    self.pid = pid
    self.space = space
    self.descriptors = descriptors
  }

  @usableFromInline func move(to space: Space<Database>) { self.space = space }
}
