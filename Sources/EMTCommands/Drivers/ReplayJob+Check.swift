// SPDX-License-Identifier: MIT
internal import Conformance
public import EMTCore
public import MMU
internal import Reference

extension ReplayJob {
  /// Runs the job with the reference model beside the driver, and compares driver, model and walker after every system
  /// call. Not compiled for each driver: it is a test, and its kernel-work counts include the comparing.
  @usableFromInline
  func runChecked<Service: TranslationService, Walker: PageWalker>(
    _ service: Service.Type, _ walker: Walker.Type
  ) throws(CommandFailure) -> ReplayReport where Service.Root == Walker.Root {
    var agreement = Agreement<Service.Database, Walker>()
    return try runPlain(ShadowedService<Service.Database>.self, walker) { agreement.check($0) }
  }
}
