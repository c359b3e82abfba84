// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

// Frames of kernel memory.
extension Kernel {
  /// Frames for `pages` pages: with `.huge`, blocks of the largest sizes that fit, largest first, so that each one is
  /// aligned; where no block is free, smaller ones.
  /// - Returns: nil when there are not enough; none is taken then.
  @usableFromInline func takeFrames(_ pages: UInt64, _ options: KernelMemoryOptions) -> [KernelPiece]? {
    let mark = meter.enter(.pageSupply)
    defer { meter.leave(mark) }
    let sizes = options.contains(.huge) ? service.pageSizes.all.reversed() : [.base]
    var pieces: [KernelPiece] = []
    var left = pages
    for size in sizes {
      while left >= size.basePages {
        guard take(size, options, into: &pieces, sizes) else {
          giveBackFrames(pieces)
          return nil
        }
        left -= size.basePages
      }
    }
    return pieces
  }

  /// Takes a block of `size`, or as many frames in smaller blocks.
  private func take(
    _ size: PageSize, _ options: KernelMemoryOptions, into pieces: inout [KernelPiece], _ sizes: [PageSize]
  ) -> Bool {
    let frames = platform.frames
    if let block = frames.allocate(order: size.order) {
      meter.count(.frameAllocated)
      if options.contains(.zeroed) {
        if frames.clearIfUsed(block, frames: size.basePages) { meter.count(.contentZeroed, size.basePages) }
      } else {
        frames.markUsed(block, frames: size.basePages)
      }
      frames.table.retain(block)
      pieces.append(KernelPiece(block, size))
      return true
    }
    guard let smaller = sizes.first(where: { $0 < size }) else { return false }
    for _ in 0..<size.basePages / smaller.basePages {
      guard take(smaller, options, into: &pieces, sizes) else { return false }
    }
    return true
  }

  /// Gives frames back that were taken with `takeFrames`.
  @usableFromInline func giveBackFrames(_ pieces: [KernelPiece]) {
    for piece in pieces where platform.frames.table.release(piece.frame) == 0 {
      meter.count(.frameFreed)
      platform.frames.free(piece.frame, order: piece.size.order)
    }
  }

  /// Given frames as pages: a huge page wherever frames are contiguous, and aligned as the addresses will be.
  @usableFromInline func pieces(of given: [FrameNumber]) -> [KernelPiece] {
    let sizes = Array(service.pageSizes.all.reversed())
    var pieces: [KernelPiece] = []
    var index = 0
    while index < given.count {
      let size = sizes.first { fits($0, given, index) } ?? .base
      pieces.append(KernelPiece(given[index], size))
      index += Int(size.basePages)
    }
    return pieces
  }

  private func fits(_ size: PageSize, _ given: [FrameNumber], _ index: Int) -> Bool {
    let count = Int(size.basePages)
    guard index % count == 0, given.count - index >= count, given[index].raw % size.basePages == 0 else {
      return false
    }
    return (0..<count).allSatisfy { given[index + $0].raw == given[index].raw + UInt64($0) }
  }

  /// Every frame of the pieces, in order.
  func frames(of pieces: [KernelPiece]) -> [FrameNumber] {
    pieces.flatMap { piece in (0..<piece.size.basePages).map { piece.frame.advanced(by: $0) } }
  }

  /// Lets go of frames that somebody gave; a frame that nobody else has is free now.
  func letGo(of pieces: [KernelPiece]) {
    let table = platform.frames.table
    for frame in frames(of: pieces) where table.release(frame) == 0 && table.mappings(frame) == 0 {
      meter.count(.frameFreed)
      platform.frames.free(frame)
    }
  }
}
