// SPDX-License-Identifier: MIT

/// Linux system calls that concern memory, with their x86-64 numbers.
public enum SystemCallNumber: UInt32, Sendable, CaseIterable {
  /// Map memory or a file.
  case mmap = 9
  /// Change rights.
  case mprotect = 10
  /// Unmap.
  case munmap = 11
  /// Move the program break.
  case brk = 12
  /// Resize or move a mapping.
  case mremap = 25
  /// Write dirty pages back.
  case msync = 26
  /// Ask which pages are in memory.
  case mincore = 27
  /// Give advice.
  case madvise = 28
  /// Get a shared-memory segment.
  case shmget = 29
  /// Attach a shared-memory segment.
  case shmat = 30
  /// Control a shared-memory segment.
  case shmctl = 31
  /// Detach a shared-memory segment.
  case shmdt = 67
  /// Set a file's size.
  case ftruncate = 77
  /// Lock pages into memory.
  case mlock = 149
  /// Unlock pages.
  case munlock = 150
  /// Lock everything.
  case mlockall = 151
  /// Unlock everything.
  case munlockall = 152
  /// Permute a file mapping.
  case remapFilePages = 216
  /// Reserve or punch file space.
  case fallocate = 285
  /// Make an anonymous file.
  case memfdCreate = 319
  /// Lock pages, on fault if wanted.
  case mlock2 = 325
  /// Change rights and the protection key.
  case pkeyMprotect = 329
  /// Commands of a userfaultfd; other files are followed.
  case ioctl = 16
  /// Get a descriptor that tells of page faults.
  case userfaultfd = 323
  /// Get a protection key.
  case pkeyAlloc = 330
  /// Give a protection key back.
  case pkeyFree = 331
  /// Forbid changes of mappings.
  case mseal = 462
  /// Seals of a memfd, among others; only the commands on seals are memory calls.
  case fcntl = 72
  /// Bring a file's storage up to date.
  case fsync = 74
  /// The same, without properties of the file.
  case fdatasync = 75
  /// Ask which pages of a file are in memory.
  case cachestat = 451
  /// Properties of a process; the ones about memory.
  case prctl = 157
  /// Ask what a process used.
  case getrusage = 98
  /// Ask for a limit.
  case getrlimit = 97
  /// Set a limit.
  case setrlimit = 160
  /// Set and ask for a limit of any process.
  case prlimit = 302
  /// Copy from another process's memory.
  case processVmReadv = 310
  /// Copy into another process's memory.
  case processVmWritev = 311
  /// Get a descriptor that stands for a process.
  case pidfdOpen = 434
  /// Give advice on another process's memory.
  case processMadvise = 440
  /// Say where the pages of areas are to come from.
  case mbind = 237
  /// Say where a task's pages are to come from.
  case setMempolicy = 238
  /// Ask where pages are to come from, or where one is.
  case getMempolicy = 239
  /// Move a process's pages from nodes to others.
  case migratePages = 256
  /// Move single pages to nodes, or ask where they are.
  case movePages = 279
  /// Say which node counts as the local one for areas.
  case setMempolicyHomeNode = 450

  /// Read a part of a file into memory.
  case readahead = 187
  /// Give advice on a file.
  case fadvise = 221

  /// Whether only programs that run here perform the call, and replays follow it: it reads or writes structures in user
  /// memory, whose bytes a trace does not hold, or depends on the hardware that was recorded.
  public var isForPrograms: Bool {
    switch self {
    case .ioctl, .userfaultfd, .pkeyAlloc, .pkeyFree, .getrusage, .getrlimit, .setrlimit, .prlimit,
      .processVmReadv,
      .processVmWritev,
      .pidfdOpen, .processMadvise, .readahead, .fadvise, .prctl, .fsync, .fdatasync, .cachestat,
      .mbind, .setMempolicy, .getMempolicy, .migratePages, .movePages, .setMempolicyHomeNode:
      true
    default: false
    }
  }
}
