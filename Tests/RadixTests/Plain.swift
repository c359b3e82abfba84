// SPDX-License-Identifier: MIT
import EMTCore
import EntryFormats
import Radix
import SimMemory
import X86Object

/// The driver with its customized functions hidden, so that every one of them is the neutral default.
struct Plain: TranslationDatabase {
  typealias Object = X86Object
  typealias Service = PlainService
  var driver: RadixDatabase
  var context: DatabaseContext {
    get { driver.context }
    set { driver.context = newValue }
  }
  var footprint: TableFootprint { driver.footprint }
  func find(_ address: VirtualAddress) -> X86Object { driver.find(address) }
  func update(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    try driver.update(object)
  }
  func remove(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    try driver.remove(object)
  }
  func release() { driver.release() }
}

/// Only there to complete `Plain`'s type; no test gets a value of it.
struct PlainService: TranslationService {
  let registers: ControlRegisters<Plain>
  let kernelDatabase: Plain
  var pageSizes: PageSizes { kernelDatabase.context.pageSizes }
  typealias Root = RadixRoot

  static func boot(_ platform: Platform, options: DriverOptions) throws(ServiceError) -> PlainService {
    throw .badOption(name: "plain", reason: "not a machine")
  }
  func shutDown() {}
  func makeDatabase(_ context: DatabaseContext) throws(ServiceError) -> Plain { kernelDatabase }
  func destroy(_ database: Plain) throws(ServiceError) {}
  func switchTo(_ database: Plain, on cpu: Int) throws(ServiceError) -> Plain { kernelDatabase }
  func current(on cpu: Int) throws(ServiceError) -> Plain { kernelDatabase }
}
