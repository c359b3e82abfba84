// SPDX-License-Identifier: MIT
public import EMTCore
public import MMU

extension ReplayJob {
  /// Runs the job with all comparisons. Not compiled for each driver: it is a test.
  @usableFromInline
  func runChecked<Service: TranslationService, Walker: PageWalker>(
    _ service: Service.Type, _ walker: Walker.Type
  ) throws(CommandFailure) -> ReplayReport where Service.Root == Walker.Root {
    throw .usage("--check is not there yet")
  }
}
