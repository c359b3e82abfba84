// SPDX-License-Identifier: MIT
// One step in the process that it belongs to. Everything here may run in a copy of a process with threads, so it calls
// nothing but the kernel.
#if defined(__linux__)
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static sigjmp_buf before_access;
static volatile sig_atomic_t caught_signal, caught_code;
static unsigned char buffer[1 << 18];

static void catch_signal(int signal, siginfo_t *info, void *context) {
  (void)context;
  caught_signal = signal;
  caught_code = info->si_code;
  siglongjmp(before_access, 1);
}

int chost_prepare_signals(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = catch_signal;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigset_t none;
  sigemptyset(&none);
  if (sigprocmask(SIG_SETMASK, &none, NULL) != 0) return -1;
  if (sigaction(SIGSEGV, &action, NULL) != 0) return -1;
  return sigaction(SIGBUS, &action, NULL);
}

static uint64_t digest(const unsigned char *bytes, size_t count) {
  uint64_t hash = 0xCBF29CE484222325;
  for (size_t index = 0; index < count; index++) hash = (hash ^ bytes[index]) * 0x100000001B3;
  return hash;
}

static void access_memory(const struct chost_step *step, struct chost_answer *answer) {
  volatile unsigned char *place = (volatile unsigned char *)(uintptr_t)step->arguments[0];
  if (sigsetjmp(before_access, 0) != 0) {
    answer->signal = caught_signal;
    answer->code = caught_code;
    return;
  }
  if (step->operation == CHOST_STORE) *place = (unsigned char)step->arguments[1];
  else answer->result = *place;
}

// The host's number of a call that x86-64 knows as `number`; -1 where the host has none.
static long host_number(uint32_t number) {
  switch (number) {
  case 9: return SYS_mmap;
  case 10: return SYS_mprotect;
  case 11: return SYS_munmap;
  case 25: return SYS_mremap;
  case 26: return SYS_msync;
  case 27: return SYS_mincore;
  case 28: return SYS_madvise;
  case 72: return SYS_fcntl;
  case 77: return SYS_ftruncate;
  case 149: return SYS_mlock;
  case 150: return SYS_munlock;
  case 151: return SYS_mlockall;
  case 152: return SYS_munlockall;
  case 216: return SYS_remap_file_pages;
  case 285: return SYS_fallocate;
  case 319: return SYS_memfd_create;
  // Newer calls have one number everywhere, or on x86-64 at least.
#ifdef SYS_mlock2
  case 325: return SYS_mlock2;
#endif
#ifdef SYS_pkey_mprotect
  case 329: return SYS_pkey_mprotect;
#endif
  case 462: return 462;
  default: return -1;
  }
}

static void keep(struct chost_answer *answer, long result) {
  answer->result = result;
  if (result == -1) answer->error = errno;
}

static void system_call(
  const struct chost_run_state *state, const struct chost_step *step, struct chost_answer *answer
) {
  uint64_t a[6];
  memcpy(a, step->arguments, sizeof a);
  char name[16] = "0000";
  for (uint32_t place = 4, label = step->label; place-- > 0; label /= 10) name[place] = (char)('0' + label % 10);
  if (step->number == 319) a[0] = (uint64_t)(uintptr_t)name;
  int has_own_vector = step->number == 27 && a[2] == 0;
  if (has_own_vector) {
    memset(buffer, 0, sizeof buffer);
    a[2] = (uint64_t)(uintptr_t)buffer;
  }
  long number = host_number(step->number);
  // MADV_HWPOISON and MADV_SOFT_OFFLINE would take memory away from the machine.
  if (step->number == 28 && (a[2] == 100 || a[2] == 101)) number = -1;
  if (number < 0) {
    errno = ENOSYS;
    keep(answer, -1);
    return;
  }
  keep(answer, syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]));
  if (answer->error != 0) return;
  if (has_own_vector) {
    uint64_t pages = (a[1] + 4095) >> 12;
    if (pages > sizeof buffer) pages = sizeof buffer;
    // Linux promises bit 0 only.
    for (uint64_t page = 0; page < pages; page++) buffer[page] &= 1;
    answer->digest = digest(buffer, pages);
  }
  if (step->number == 9 || step->number == 25) {
    uint64_t start = (uint64_t)answer->result;
    if (start >= state->start && start < state->end) return;
    munmap((void *)(uintptr_t)start, (size_t)(step->number == 9 ? a[1] : a[2]));
    answer->result = CHOST_ELSEWHERE;
  }
}

static void move_bytes(const struct chost_step *step, struct chost_answer *answer) {
  const uint64_t *a = step->arguments;
  int file = (int)a[0];
  struct stat status;
  size_t count = a[2] < sizeof buffer ? a[2] : sizeof buffer;
  switch (step->operation) {
  case CHOST_READ_FILE:
    keep(answer, pread(file, buffer, count, (off_t)a[1]));
    if (answer->result >= 0) answer->digest = digest(buffer, (size_t)answer->result);
    break;
  case CHOST_WRITE_FILE:
    for (size_t index = 0; index < count; index++) buffer[index] = (unsigned char)(a[3] + index);
    keep(answer, pwrite(file, buffer, count, (off_t)a[1]));
    break;
  case CHOST_FILE_SIZE:
    keep(answer, fstat(file, &status));
    if (answer->error == 0) answer->result = status.st_size;
    break;
  case CHOST_PREAD: keep(answer, pread(file, (void *)(uintptr_t)a[1], a[2], (off_t)a[3])); break;
  case CHOST_PWRITE: keep(answer, pwrite(file, (void *)(uintptr_t)a[1], a[2], (off_t)a[3])); break;
  default: break;
  }
}

void chost_perform(const struct chost_run_state *state, const struct chost_step *step, struct chost_answer *answer) {
  switch (step->operation) {
  case CHOST_SYSTEM_CALL: system_call(state, step, answer); break;
  case CHOST_LOAD:
  case CHOST_STORE: access_memory(step, answer); break;
  case CHOST_LOOK: break;
  default: move_bytes(step, answer); break;
  }
}
#else
typedef int chost_perform_needs_linux;
#endif
