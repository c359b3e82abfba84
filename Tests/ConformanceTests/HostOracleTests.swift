// SPDX-License-Identifier: MIT
import Conformance
import Hashed
import MMU
import Radix
import Scenarios
import Testing

/// Random programs on this host's own kernel and on the simulated one. Where the host is no Linux, nothing is compared.
@Suite("The host's kernel as the judge") struct HostOracleTests {
  private func ask(seed: UInt64, steps: Int, _ boot: @escaping ScenarioBoot) {
    let report = HostOracle.explore(seed: seed, steps: steps, boot)
    if let reason = report.skipped { print("skipped: \(reason)") }
    #expect(report.difference == nil, "\(report.difference?.description ?? "")")
    #expect(report.findings.isEmpty, "seed \(seed): \(report.findings)")
    #expect(report.skipped != nil || report.steps >= steps)
  }

  @Test func bothKernelsAgreeOnATree() {
    ask(seed: 1, steps: 1500, MachineHost<RadixService, RadixWalker>.boot)
  }

  @Test func bothKernelsAgreeOnATable() {
    ask(seed: 501, steps: 500, MachineHost<HashedService, HashedWalker>.boot)
  }
}
