// SPDX-License-Identifier: MIT

/// Every group of cases, the basics first. A new group is one line here.
public enum ScenarioCatalog {
  /// The groups.
  public static let groups: [ScenarioGroup] = [
    mmap,
    munmap,
    mprotect,
    mremap,
    madvise,
    processMadvise,
    mincore,
    mlock,
    mlock2,
    mlockall,
    munlock,
    munlockall,
    msync,
    brk,
    mseal,
    remapFilePages,
    memfd,
    pkeys,
    processVM,
    cachestat,
    shmt,
    mmapstress,
    openposix,
    hugetlb,
    segments,
    numaPolicy,
    ksm,
    swap,
    oom,
    tunable,
    fork,
    clone,
    userCopy,
    cve,
    misc,
    cpuset,
    vma,
    thp,
    mtest,
    memcg,
    userfaultfd,
    kernel,
    host,
  ]

  /// The case with a name, and its group's name.
  public static func find(_ id: String) -> (group: String, scenario: ScenarioCase)? {
    for group in groups {
      if let found = group.cases.first(where: { $0.id == id }) { return (group.name, found) }
    }
    return nil
  }
}
