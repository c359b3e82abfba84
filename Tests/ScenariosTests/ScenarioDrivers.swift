// SPDX-License-Identifier: MIT
import ECPT
import EMTCore
import FPT
import Hashed
import MMU
import Machine
import Radix
import Scenarios

/// The drivers that scenarios run on in tests, in both forms. All share code that is not compiled for them: machines are
/// small, and cases are many.
enum ScenarioDriver: String, CaseIterable, Sendable {
  case radix, radix5, fpt, hashed, ecpt

  func boot(hidden: Bool) -> ScenarioBoot {
    switch self {
    case .radix: ScenarioDriver.boot(RadixService.self, RadixWalker.self, hidden)
    case .radix5: ScenarioDriver.boot(Radix5Service.self, Radix5Walker.self, hidden)
    case .fpt: ScenarioDriver.boot(FPTL4L3L2L1Service.self, FPTL4L3L2L1Walker.self, hidden)
    case .hashed: ScenarioDriver.boot(HashedService.self, HashedWalker.self, hidden)
    case .ecpt: ScenarioDriver.boot(ECPTService.self, ECPTWalker.self, hidden)
    }
  }

  private static func boot<Service: TranslationService, Walker: PageWalker>(
    _ service: Service.Type, _ walker: Walker.Type, _ hidden: Bool
  ) -> ScenarioBoot where Service.Root == Walker.Root {
    hidden ? MachineHost<BasicOnlyService<Service.Database>, Walker>.boot : MachineHost<Service, Walker>.boot
  }
}
