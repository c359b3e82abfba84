// SPDX-License-Identifier: MIT

/// What a step of a differential run does. Together they call all 15 basic and all 35 customizable functions.
@frozen public enum DifferentialKind: UInt8, Sendable, CaseIterable {
  /// Look an address up.
  case find
  /// Insert or replace a present page with the flags in `bits`.
  case update
  /// Replace a base page by a swap entry.
  case swapOut
  /// Remove the page of `shift` at the address.
  case remove
  /// Remove what is at the address and put it back.
  case removeAndUndo
  /// Insert `pages` consecutive pages of `shift`.
  case insertRun
  /// Split what is at the address.
  case split
  /// Reserve memory for a split, then split.
  case prepareAndSplit
  /// Collapse everything into a page of `shift`; the copier refuses where `bits` says so.
  case collapse
  /// Ask whether a page of `shift` may be inserted, and for the sizes below.
  case eligible
  /// Ask whether a range is void and how much of it is mapped.
  case measure
  /// Remove a range.
  case removeAll
  /// Change the rights of a range to the low three bits of `bits`.
  case protect
  /// Copy a range into another address space, deciding by `bits`.
  case copy
  /// Move a range by `bits` slots of 8 GiB and some pages.
  case move
  /// Iterate over a range and change things meanwhile.
  case walk
  /// Change attributes in place.
  case edit
  /// Test and clear accessed.
  case accessed
  /// Test and clear dirty.
  case dirty
  /// Set accessed, and dirty when bit 0 of `bits` is set.
  case touch
  /// Allow stores.
  case makeWritable
  /// A CPU that runs on the space loads, stores or fetches; its hardware sets accessed and dirty bits.
  case access
  /// Flush an address, a range or the whole space.
  case flush
  /// Several changes in a batch, whose flushes go out together.
  case batch
  /// Look up under a reading lock, change under a writing lock.
  case locked
  /// Make a CPU run on the space.
  case switchSpace
  /// Destroy the address space and make a new one.
  case recreate
  /// Make another address space anew as a copy of this one.
  case fork
  /// Remove everything, area by area.
  case purge
}
