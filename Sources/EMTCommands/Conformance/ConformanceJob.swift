// SPDX-License-Identifier: MIT
public import Conformance
public import EMTCore
public import MMU
public import Scenarios

/// A driver, its options and its form, to be checked against the contract.
public struct ConformanceJob: Sendable {
  /// The driver's name.
  public var driver: String
  /// Options for booting.
  public var options = DriverOptions()
  /// Whether its customizations are hidden.
  public var isBasicOnly = false
  /// The first seed of a random run.
  public var seed: UInt64 = 1
  /// Steps of a random run.
  public var steps = 0
  /// Whether steps that show a difference are made few, which may take a minute.
  public var shortens = true
  /// Steps of one round; each has a machine and a seed of its own.
  public var round = ConformanceJob.standardRound

  /// A job with default settings.
  public init(driver: String) { self.driver = driver }

  /// Steps of one round: enough for tables to grow and shrink many times, few enough to be shortened.
  public static var standardRound: Int { 50_000 }

  /// Driver and options in words.
  @usableFromInline var name: String { ([driver] + optionWords).joined(separator: " ") }

  /// `name=value`, in order.
  var optionWords: [String] { options.values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" } }

  @inlinable func subject<Service: TranslationService, Walker: PageWalker>(
    _ service: Service.Type, _ walker: Walker.Type
  ) -> ContractSubject<Service.Database> where Service.Root == Walker.Root {
    ContractSubject(name, Service.Database.self, walker: Walker.self, options: options)
  }

  /// Runs the checks that `isChosen` wants, given clause and name.
  @usableFromInline
  func check<Service: TranslationService, Walker: PageWalker>(
    _ service: Service.Type, _ walker: Walker.Type, where isChosen: (String, String) -> Bool,
    _ show: (ContractOutcome) -> Void
  ) where Service.Root == Walker.Root {
    let subject = subject(service, walker)
    if isBasicOnly {
      ContractSuite.run(subject.basicOnly, where: isChosen, show)
    } else {
      ContractSuite.run(subject, where: isChosen, show)
    }
  }

  /// What runs scenarios.
  @inlinable
  func scenarios<Service: TranslationService, Walker: PageWalker>(
    _ service: Service.Type, _ walker: Walker.Type
  ) -> ScenarioRunner where Service.Root == Walker.Root {
    let subject = subject(service, walker)
    guard let boot = isBasicOnly ? subject.bootHidden : subject.boot else {
      preconditionFailure("a subject with a walker can be booted")
    }
    return ScenarioRunner(options: options, boot)
  }

  /// Runs random steps, compiled for the driver's types where they are named: a round after the other, with the seeds
  /// `seed`, `seed` + 1 and so on.
  /// - Parameter onRound: called before each round with its seed and the steps done.
  /// - Returns: the first difference.
  @inlinable
  public func explore<Service: TranslationService, Walker: PageWalker>(
    _ service: Service.Type, _ walker: Walker.Type, onRound: (UInt64, Int) -> Void
  ) -> DifferentialFailure? where Service.Root == Walker.Root {
    let subject = subject(service, walker)
    var (done, seed) = (0, seed)
    while done < steps {
      onRound(seed, done)
      let count = Swift.min(round, steps - done)
      let failure =
        isBasicOnly
        ? Differential.explore(
          subject.basicOnly, seed: seed, steps: count, checkEvery: 1000, shortens: shortens)
        : Differential.explore(subject, seed: seed, steps: count, checkEvery: 1000, shortens: shortens)
      if let failure { return failure }
      (done, seed) = (done + count, seed &+ 1)
    }
    return nil
  }
}
