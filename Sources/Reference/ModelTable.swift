// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory
internal import Synchronization

/// The mapped objects of one address space in order of address: the whole truth of the model.
final class ModelTable<Object: TranslationObject>: Sendable {
  private let objects = Mutex<[Object]>([])

  /// All mapped objects that touch `range`, in order.
  func objects(touching range: VirtualRange) -> [Object] {
    objects.withLock { objects in
      Array(
        objects[ModelTable.first(objects, endingAfter: range.start)...].prefix {
          $0.start.raw <= range.end.raw &- 1
        })
    }
  }

  /// The mapped object that holds `address`.
  func object(at address: VirtualAddress) -> Object? {
    objects.withLock { objects in
      let index = ModelTable.first(objects, endingAfter: address)
      return index < objects.count && objects[index].start <= address ? objects[index] : nil
    }
  }

  /// Where the object below a void `address` ends, and where the one above it starts.
  func gap(around address: VirtualAddress) -> (low: VirtualAddress, high: VirtualAddress?) {
    objects.withLock { objects in
      let index = ModelTable.first(objects, endingAfter: address)
      let low = index == 0 ? VirtualAddress(0) : objects[index - 1].end
      return (low, index < objects.count ? objects[index].start : nil)
    }
  }

  /// Puts `object` in the place of the one with its start, or between its neighbours.
  func put(_ object: Object) {
    objects.withLock { objects in
      let index = ModelTable.first(objects, endingAfter: object.start)
      if index < objects.count, objects[index].start == object.start {
        objects[index] = object
      } else {
        objects.insert(object, at: index)
      }
    }
  }

  /// Removes the object that starts at `start`.
  func take(_ start: VirtualAddress) {
    objects.withLock { objects in
      let index = ModelTable.first(objects, endingAfter: start)
      if index < objects.count, objects[index].start == start { objects.remove(at: index) }
    }
  }

  /// Removes everything.
  func empty() { objects.withLock { $0 = [] } }

  /// The index of the first object whose last byte is not below `address`.
  private static func first(_ objects: [Object], endingAfter address: VirtualAddress) -> Int {
    var (low, high) = (0, objects.count)
    while low < high {
      let middle = (low + high) / 2
      let last = objects[middle].start.raw &+ objects[middle].size.mask
      if last < address.raw { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
