// SPDX-License-Identifier: MIT
import Glibc

/// A program that runs under valgrind, with our standard input and outputs.
///
/// While it runs, this thread takes no signals: `pause` collects them. The terminal's SIGINT and SIGQUIT
/// reach the program by themselves, SIGTERM and SIGHUP are passed on.
final class TracedProgram {
  let process: Int32
  /// What ended the program, as a shell reports it; nil while it runs.
  private(set) var status: Int32?
  /// The signal that asked us to stop.
  private(set) var stopSignal: Int32?
  private var formerMask = sigset_t()
  private var waited = sigset_t()

  /// Starts `arguments` (the first is looked up in PATH).
  init(_ arguments: [String]) throws(TraceError) {
    unsafe sigemptyset(&waited)
    for signal in [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGCHLD] { unsafe sigaddset(&waited, signal) }
    unsafe pthread_sigmask(SIG_BLOCK, &waited, &formerMask)
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    unsafe posix_spawnattr_setsigmask(&attributes, &formerMask)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
    unsafe words.append(nil)
    var child: pid_t = 0
    let failure = unsafe posix_spawnp(&child, words[0] ?? strdup(""), nil, &attributes, words, environ)
    unsafe posix_spawnattr_destroy(&attributes)
    for index in unsafe words.indices { unsafe free(words[index]) }
    process = child
    guard failure == 0 else {
      unsafe pthread_sigmask(SIG_SETMASK, &formerMask, nil)
      status = 127
      if failure == ENOENT { throw TraceError(file: arguments[0], problem: .missingTool(arguments[0])) }
      let reason = unsafe String(cString: strerror(failure))
      throw TraceError(file: arguments[0], problem: .cannot("start it", reason: reason))
    }
  }

  deinit { unsafe pthread_sigmask(SIG_SETMASK, &formerMask, nil) }

  /// Waits for a signal or `milliseconds`, then looks whether the program has ended.
  func pause(milliseconds: Int) {
    var time = timespec(tv_sec: 0, tv_nsec: milliseconds * 1_000_000)
    let signal = unsafe sigtimedwait(&waited, nil, &time)
    if signal == SIGTERM || signal == SIGHUP {
      stopSignal = signal
      if status == nil { kill(process, signal) }
    }
    look()
  }

  /// Stops the program if it still runs, and waits for its end.
  func end() {
    while status == nil {
      kill(process, SIGKILL)
      pause(milliseconds: 10)
    }
  }

  private func look() {
    guard status == nil else { return }
    var raw: Int32 = 0
    guard unsafe waitpid(process, &raw, WNOHANG) == process else { return }
    let signal = raw & 0x7F
    status = signal == 0 ? (raw >> 8) & 0xFF : 128 + signal
  }

  /// Whether a process runs: it exists and is not a zombie.
  static func isRunning(_ process: UInt32) -> Bool {
    guard let file = unsafe fopen("/proc/\(process)/stat", "re") else { return false }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 512)
    guard unsafe fgets(&line, 512, file) != nil else { return false }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard let end = text.lastIndex(of: ")") else { return false }
    let state = text[text.index(after: end)...].drop { $0 == " " }.first
    return state != "Z" && state != "X"
  }
}

/// A folder for the time of a recording.
final class RecordingFolder {
  let path: String

  /// Makes a folder beside `output`, so that the result can be moved into place.
  init(beside output: String) throws(TraceError) {
    let slash = output.lastIndex(of: "/")
    let parent = slash.map { String(output[...$0]) } ?? ""
    var name = Array((parent + ".emt-record-XXXXXX").utf8CString)
    guard unsafe mkdtemp(&name) != nil else {
      throw TraceError(
        file: output, problem: .cannot("make a temporary folder beside it", reason: lastErrorText()))
    }
    path = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Moves a file of the folder to `destination`.
  func move(_ name: String, to destination: String) throws(TraceError) {
    guard unsafe Glibc.rename(path + "/" + name, destination) == 0 else {
      throw TraceError(file: destination, problem: .cannot("move the trace there", reason: lastErrorText()))
    }
  }

  /// Renames a file inside the folder.
  func rename(_ from: String, to: String) { _ = unsafe Glibc.rename(path + "/" + from, path + "/" + to) }

  func remove(_ name: String) { _ = unsafe unlink(path + "/" + name) }

  deinit {
    for name in FileKind.names(in: path) ?? [] where name != "." && name != ".." { remove(name) }
    _ = unsafe rmdir(path)
  }
}
