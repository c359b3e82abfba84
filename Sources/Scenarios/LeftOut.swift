// SPDX-License-Identifier: MIT

/// Rows of the inventory that have no case, and why. A group that is complete has every other row.
public enum LeftOut {
  /// Why a row has no case; nil when it must have one.
  public static func reason(for row: String) -> String? {
    reasons.first { $0.rows.contains(row) }?.reason
  }

  /// All of them.
  public static var rows: [String] { reasons.flatMap(\.rows) }

  private static let reasons: [(reason: String, rows: [String])] = [
    ("Reclaim never takes droppable pages yet.", ["mmap22"]),
    ("It needs a file system that runs out of space.", ["mmap16"]),
    ("It needs core dumps.", ["madvise08", "vma05.sh"]),
    ("Frames are not taken out of use.", ["madvise11"]),
    ("A program cannot provoke a memory error here.", ["madvise07"]),
    ("Files have no times.", ["opts/mmap/13-1", "opts/mmap/14-1"]),
    ("Files have no modes.", ["opts/shm_open/20-3"]),
    ("It is about segments of 32-bit x86.", ["fork05", "cve-2017-17053", "modify_ldt02"]),
    ("It is about the table of descriptors.", ["fork09", "cachestat04"]),
    ("It is about process numbers.", ["fork13", "clone301", "clone304"]),
    (
      "It is about users, signals or name spaces of processes.", ["vfork01", "vfork02", "clone09", "clone11"]
    ),
    ("It is about the C library.", ["clone04", "clone07", "mallinfo02", "getpagesize01"]),
    (
      "It is about control groups as such.",
      [
        "clone303", "memcontrol01", "memcg_force_empty", "memcg_move_charge_at_immigrate",
        "memcg_use_hierarchy",
        "memcg_regression", "memcg_test_3", "memcg_stress", "memctl_test01",
      ]
    ),
    ("Reclaim protects no group's memory.", ["memcontrol03", "memcontrol04"]),
    ("Groups have no limit on memory and swap together.", ["memcg_memsw_limit_in_bytes"]),
    (
      "It is about cpusets as such.",
      [
        "cpuset_memory_pressure", "cpuset_base_ops", "cpuset_inherit", "cpuset_exclusive", "cpuset_hierarchy",
        "cpuset_regression_test", "oom04", "oom05",
      ]
    ),
    ("It is about the 32-bit interface.", ["set_mempolicy05"]),
    (
      "It provokes a race inside Linux.",
      ["move_pages12", "shmctl05", "ksm05", "hugemmap06", "cve-2017-17052"]
    ),
    (
      "It is about properties of segments other than memory.",
      ["shmctl03", "shmctl06", "shmctl08", "shmget04", "shmget05", "shmget06"]
    ),
    (
      "It needs pipes.", ["vmsplice01", "vmsplice02", "vmsplice03", "vmsplice04", "dirtypipe"]
    ),
    ("It needs asynchronous input and output.", ["cve-2016-10044"]),
    ("It needs futexes.", ["futex_wake04"]),
    (
      "It is about numbers, registers and arguments of threads, which are not simulated.",
      ["clone08", "clone10", "clone302"]
    ),
    ("It is about computing with numbers in a child.", ["fork03"]),
    ("It needs a network.", ["cve-2026-46331"]),
    ("It needs a loader of programs.", ["thp01", "aslr01"]),
    ("It is about when the merging job runs.", ["ksm07"]),
    ("It needs storage devices.", ["hugemmap11", "doio", "zram02", "zram03"]),
    (
      "It is about hardware that is not simulated.",
      ["hugemmap15", "hugemmap35", "cve-2015-3290", "meltdown", "ptrace08", "cacheflush01"]
    ),
    ("It is about data structures inside Linux.", ["hugemmap32"]),
    ("It needs notification of file accesses.", ["fanotify24"]),
    ("It is not run, or is no test.", ["shmat1", "memtoy"]),
  ]
}
