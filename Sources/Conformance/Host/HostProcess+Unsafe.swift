// SPDX-License-Identifier: MIT
internal import CHost
internal import VMM

/// Why the host's kernel could not be asked.
enum HostRefusal: Error, Equatable {
  case notLinux
  case forbidden(errno: Int32)
  case occupied
  case died(status: Int32)

  var message: String {
    switch self {
    case .notLinux: "this host is not Linux"
    case .forbidden(let number):
      "this host does not let the program start processes or read /proc (\(HostAnswer.errnoName(UInt32(number))))"
    case .occupied: "something is mapped where the programs would run"
    case .died(let status): "a process of the program ended early (wait status \(status))"
    }
  }
}

/// Programs on the host's own kernel, each in processes of its own.
enum HostProcess {
  /// Name, release and version of the host's kernel.
  static var kernel: String {
    var text = [CChar](repeating: 0, count: 400)
    unsafe text.withUnsafeMutableBufferPointer {
      guard let start = $0.baseAddress else { return }
      unsafe chost_kernel(start, UInt32($0.count))
    }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Whether there is a Linux kernel to ask.
  static var isLinux: Bool { chost_is_linux() == 1 }

  /// Runs a program: every step must be one that a living process can do.
  static func run(_ steps: [HostStep]) throws(HostRefusal) -> [HostAnswer] {
    guard !steps.isEmpty else { return [] }
    let list = steps.enumerated().map { $1.plain(label: UInt32($0)) }
    var answers = [chost_answer](repeating: chost_answer(), count: steps.count)
    var detail: Int32 = 0
    let status = unsafe list.withUnsafeBufferPointer { list in
      unsafe answers.withUnsafeMutableBufferPointer { answers in
        unsafe chost_run(
          list.baseAddress, UInt32(list.count), HostWindow.start, HostWindow.bytes, answers.baseAddress,
          &detail)
      }
    }
    switch Int(status) {
    case CHOST_FINE: return answers.map { HostAnswer($0) }
    case CHOST_NOT_LINUX: throw .notLinux
    case CHOST_OCCUPIED: throw .occupied
    case CHOST_DIED: throw .died(status: detail)
    default: throw .forbidden(errno: detail)
    }
  }
}

extension HostStep {
  fileprivate func plain(label: UInt32) -> chost_step {
    var (operation, number): (Int, UInt32) = (CHOST_LOOK, 0)
    var words: [UInt64] = []
    switch action {
    case .call(let call, let arguments):
      (operation, number, words) = (CHOST_SYSTEM_CALL, call.rawValue, arguments)
    case .load(let address): (operation, words) = (CHOST_LOAD, [address])
    case .store(let address, let value): (operation, words) = (CHOST_STORE, [address, UInt64(value)])
    case .fork(let child): (operation, words) = (CHOST_FORK, [UInt64(child)])
    case .exit: operation = CHOST_EXIT
    case .readFile(let file, let offset, let count):
      (operation, words) = (CHOST_READ_FILE, [file, offset, count])
    case .writeFile(let file, let offset, let count, let value):
      (operation, words) = (CHOST_WRITE_FILE, [file, offset, count, UInt64(value)])
    case .fileSize(let file): (operation, words) = (CHOST_FILE_SIZE, [file])
    case .look: break
    case .moveBytes(let file, let address, let count, let offset, let isRead):
      (operation, words) = (isRead ? CHOST_PREAD : CHOST_PWRITE, [file, address, count, offset])
    }
    words += Array(repeating: 0, count: 6 - words.count)
    return chost_step(
      process: process, operation: UInt32(operation), number: number, label: label,
      arguments: (words[0], words[1], words[2], words[3], words[4], words[5]))
  }
}

extension HostAnswer {
  fileprivate init(_ plain: chost_answer) {
    if plain.isDone == 0 {
      outcome = .missing
    } else if plain.signal != 0 {
      outcome = .signal(plain.signal, code: plain.code)
    } else if plain.error != 0 {
      outcome = .refused(UInt32(plain.error))
    } else if plain.result == -2 {
      outcome = .elsewhere
    } else {
      outcome = .result(plain.result, digest: plain.digest)
    }
    pages = unsafe withUnsafeBytes(of: plain.pages) { unsafe $0.map { HostPage(rawValue: $0) } }
    areas = unsafe withUnsafeBytes(of: plain.areas) { bytes in
      let all = unsafe bytes.bindMemory(to: chost_area.self)
      return unsafe all.prefix(Int(plain.areaCount)).map { area in
        HostArea(
          start: area.start, end: area.end, offset: area.file == -1 ? 0 : area.offset, rights: area.rights,
          flags: area.flags, file: area.file, resident: area.resident, anonymous: area.anonymous)
      }
    }
  }

  /// The name of an errno, or its number.
  static func errnoName(_ number: UInt32) -> String { Errno(rawValue: number)?.name ?? "errno \(number)" }
}
