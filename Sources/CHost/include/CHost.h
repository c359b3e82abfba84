// SPDX-License-Identifier: MIT
// Carries out a list of steps in processes of their own, on the kernel that this program runs on, and reports what each
// step answered and how memory looked after it.
#ifndef CHOST_H
#define CHOST_H

#include <stdint.h>

// What a step does. System calls take their arguments in the order of the x86-64 ABI.
enum {
  CHOST_SYSTEM_CALL = 0, // arguments of the call `number`
  CHOST_LOAD = 1,        // address
  CHOST_STORE = 2,       // address, value
  CHOST_FORK = 3,        // number of the child
  CHOST_EXIT = 4,        // ends the process; its parent waits for that
  CHOST_READ_FILE = 5,   // descriptor, offset, length: bytes of a file, without user memory of the program
  CHOST_WRITE_FILE = 6,  // descriptor, offset, length, value
  CHOST_FILE_SIZE = 7,   // descriptor
  CHOST_LOOK = 8,        // nothing but the look at memory
  CHOST_PREAD = 9,       // descriptor, address, length, offset
  CHOST_PWRITE = 10,     // descriptor, address, length, offset
};

// Bits of `chost_area.rights`.
enum { CHOST_READABLE = 1, CHOST_WRITABLE = 2, CHOST_EXECUTABLE = 4, CHOST_SHARED = 8 };

// Bits of `chost_area.flags`: the words of VmFlags in /proc/PID/smaps, in the order of `chost_flag_names`.
enum {
  CHOST_MAY_READ = 1 << 0,
  CHOST_MAY_WRITE = 1 << 1,
  CHOST_MAY_EXECUTE = 1 << 2,
  CHOST_GROWS_DOWN = 1 << 3,
  CHOST_LOCKED = 1 << 4,
  CHOST_SEQUENTIAL = 1 << 5,
  CHOST_RANDOM = 1 << 6,
  CHOST_DONT_COPY = 1 << 7,
  CHOST_ACCOUNTED = 1 << 8,
  CHOST_NO_RESERVE = 1 << 9,
  CHOST_WIPE_ON_FORK = 1 << 10,
  CHOST_DONT_DUMP = 1 << 11,
  CHOST_MERGEABLE = 1 << 12,
  CHOST_SEALED = 1 << 13,
  CHOST_DROPPABLE = 1 << 14,
  CHOST_HUGE_PAGES = 1 << 15,
  CHOST_NO_HUGE_PAGES = 1 << 16,
};

// Limits of one program and of one look.
enum { CHOST_AREAS = 48, CHOST_PAGES = 64, CHOST_PROCESSES = 8 };

// The file of an area when it is no memfd.
enum { CHOST_NO_FILE = -1, CHOST_ANONYMOUS_FILE = -2, CHOST_OTHER_FILE = -3 };

struct chost_step {
  uint32_t process;   // who does it; process 0 exists from the start
  uint32_t operation; // CHOST_*
  uint32_t number;    // of a system call, as on x86-64
  uint32_t label;     // the name of a memfd that it makes
  uint64_t arguments[6];
};

struct chost_area {
  uint64_t start, end, offset;
  uint64_t resident, anonymous; // in bytes
  uint32_t rights, flags;
  int32_t file; // the label of a memfd, or one of the above
  int32_t reserved;
};

struct chost_answer {
  int64_t result;
  int32_t error;   // errno of a call that was refused
  int32_t signal;  // of an access that was refused
  int32_t code;    // si_code
  uint32_t isDone; // whether the step was reached
  uint64_t digest; // of what the call wrote: mincore's answer, bytes that were read
  uint32_t areaCount;
  uint32_t reserved;
  uint8_t pages[CHOST_PAGES]; // 1 present, 2 in swap or a guard, 4 of a file, 8 mapped once
  struct chost_area areas[CHOST_AREAS];
};

// `result` of a call that put a mapping outside of the window, from where it was taken away again.
#define CHOST_ELSEWHERE (-2)

enum {
  CHOST_FINE = 0,
  CHOST_NOT_LINUX = 1,  // nothing was tried
  CHOST_FORBIDDEN = 2,  // no process, no memory, no /proc
  CHOST_OCCUPIED = 3,   // something is mapped in the window
  CHOST_DIED = 4,       // the process ended before its last step
};

// Runs `count` steps in new processes that have nothing mapped in the window of `bytes` from `start` on. The first
// CHOST_PAGES pages of the window are looked at page by page.
// Returns CHOST_FINE and so on; `detail` gets errno, or the wait status of a process that died.
int chost_run(
  const struct chost_step *steps, uint32_t count, uint64_t start, uint64_t bytes, struct chost_answer *answers,
  int *detail);

// The kernel's name, release and version in one line.
void chost_kernel(char *text, uint32_t size);

// Whether this was compiled for Linux.
int chost_is_linux(void);

#endif
