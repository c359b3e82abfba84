// SPDX-License-Identifier: MIT
import Profiling
import Testing

/// A dump as callgrind writes it with uncompressed names and positions.
struct CallgrindProfileTests {
  private let dump = """
    # callgrind format
    version: 1
    events: Ir
    summary: 1000

    fl=/a.swift
    fn=fault
    10 30
    11 12
    cfi=/b.swift
    cfn=zero
    calls=2 77
    11 500
    12 8

    fl=/b.swift
    fn=zero
    77 500
    fn=other
    1 7
    cfn=zero
    calls=1 77
    2 250

    totals: 557
    """

  @Test func `own costs add up without those of calls`() {
    let profile = CallgrindProfile(dump)
    #expect(profile.total == 557)
    #expect(profile.own == ["fault": 50, "zero": 500, "other": 7])
  }

  @Test func `calls are summed over their callers`() {
    let calls = CallgrindProfile(dump).calls { $0 == "zero" }
    #expect(calls.count == 3)
    #expect(calls.instructions == 750)
  }

  @Test func `a function that jumps into its twin is one call`() {
    let folded = """
      fn=replay
      1 10
      cfn=faultTg5
      calls=4 77
      2 400
      fn=faultTg5
      3 8
      cfn=faultTg5Tm
      calls=4 78
      4 392
      """
    let calls = CallgrindProfile(folded).calls { $0.hasPrefix("fault") }
    #expect(calls.count == 4)
    #expect(calls.instructions == 400)
  }
}
