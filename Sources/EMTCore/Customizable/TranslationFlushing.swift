// SPDX-License-Identifier: MIT
public import SimMemory

/// Customizable functions 27–30: telling TLBs about changes.
///
/// When a flush function returns outside a batch, no CPU uses a translation from before any more: the ones that run on
/// the database have the request in their mailbox, and the others will forget the space when they come back.
public protocol TranslationFlushing: TranslationDatabaseBasics {
  /// Customizable 27: makes CPUs forget the translation of `address`, whatever its size.
  func flush(_ address: VirtualAddress)

  /// Customizable 28: makes CPUs forget the translations in `range`, which holds pages of `stride` and larger ones.
  func flush(_ range: VirtualRange, stride: PageSize)

  /// Customizable 29: makes CPUs forget all translations of the address space.
  func flushAll()

  /// Customizable 30: runs `body`, collecting its flushes, then flushes once. Batches nest.
  func batch<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result
}
