// SPDX-License-Identifier: MIT
// Processes that carry out a program. Each of them walks through the same list and does its own steps when their turn
// comes, so that parents and children act in a fixed order.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#if defined(__linux__)
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

// A new process, without what a library does around that: it may run in a copy of a process with threads.
static pid_t new_process(void) { return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }

static void wait_for(struct chost_run_state *state, uint32_t step) {
  for (;;) {
    uint32_t done = __atomic_load_n(&state->done, __ATOMIC_ACQUIRE);
    if (done >= step) return;
    syscall(SYS_futex, &state->done, FUTEX_WAIT, done, NULL, NULL, 0);
  }
}

static void finish(struct chost_run_state *state, uint32_t step) {
  __atomic_store_n(&state->done, step + 1, __ATOMIC_RELEASE);
  syscall(SYS_futex, &state->done, FUTEX_WAKE, CHOST_PROCESSES, NULL, NULL, 0);
}

// The files of /proc show the process that opened them, so every process opens its own, out of the way of the
// descriptors that programs get.
static int open_high(const char *path, int number) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  int high = dup3(file, number, O_CLOEXEC);
  close(file);
  return high;
}

static int open_files(struct chost_files *files) {
  files->areas = open_high("/proc/self/smaps", 200);
  files->pages = open_high("/proc/self/pagemap", 201);
  return files->areas < 0 || files->pages < 0 ? -1 : 0;
}

static void set_up_process(void) {
  // A process that hangs ends by itself, and nobody outlives the first one.
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  alarm(20);
}

static void walk(struct chost_run_state *state) {
  uint32_t me = 0;
  pid_t children[CHOST_PROCESSES] = {0};
  struct chost_files files;
  if (open_files(&files) != 0) {
    state->failure = CHOST_FORBIDDEN;
    state->detail = errno;
    _exit(1);
  }
  for (uint32_t index = 0; index < state->count; index++) {
    const struct chost_step *step = &state->steps[index];
    struct chost_answer *answer = &state->answers[index];
    if (step->operation == CHOST_EXIT) {
      if (step->process == me) {
        wait_for(state, index);
        _exit(0);
      }
      if (step->process < CHOST_PROCESSES && children[step->process] != 0) {
        wait_for(state, index);
        // The memory of a process is gone before its parent hears of its end.
        while (waitpid(children[step->process], NULL, 0) < 0 && errno == EINTR) {}
        children[step->process] = 0;
        answer->isDone = 1;
        finish(state, index);
      }
      continue;
    }
    if (step->process != me) continue;
    wait_for(state, index);
    answer->isDone = 1;
    if (step->operation == CHOST_FORK) {
      uint32_t number = (uint32_t)step->arguments[0] % CHOST_PROCESSES;
      pid_t child = new_process();
      if (child == 0) {
        me = number;
        memset(children, 0, sizeof children);
        set_up_process();
        close(files.areas);
        close(files.pages);
        if (open_files(&files) != 0) _exit(1);
        continue;
      }
      if (child < 0) {
        answer->result = -1;
        answer->error = errno;
      } else {
        children[number] = child;
      }
    } else {
      chost_perform(state, step, answer);
    }
    chost_look(state, &files, answer);
    finish(state, index);
  }
  // Children end with their parent, so everybody stays until the last step is done.
  wait_for(state, state->count);
  _exit(0);
}

static void run_first_process(struct chost_run_state *state) {
  set_up_process();
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  syscall(SYS_close_range, 3U, ~0U, 0U);
  int free = chost_window_is_free(state);
  if (free != 1) {
    state->failure = free < 0 ? CHOST_FORBIDDEN : CHOST_OCCUPIED;
    state->detail = errno;
    _exit(1);
  }
  if (chost_prepare_signals() != 0) {
    state->failure = CHOST_FORBIDDEN;
    state->detail = errno;
    _exit(1);
  }
  walk(state);
}

int chost_run(
  const struct chost_step *steps, uint32_t count, uint64_t start, uint64_t bytes, struct chost_answer *answers,
  int *detail
) {
  size_t head = (sizeof(struct chost_run_state) + 63) & ~(size_t)63;
  size_t answer_bytes = count * sizeof *answers;
  size_t all = head + answer_bytes + count * sizeof *steps;
  *detail = 0;
  char *shared = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) {
    *detail = errno;
    return CHOST_FORBIDDEN;
  }
  struct chost_run_state *state = (struct chost_run_state *)(void *)shared;
  struct chost_step *list = (struct chost_step *)(void *)(shared + head + answer_bytes);
  memcpy(list, steps, count * sizeof *steps);
  state->count = count;
  state->start = start;
  state->end = start + bytes;
  state->answers = (struct chost_answer *)(void *)(shared + head);
  state->steps = list;
  pid_t child = new_process();
  if (child == 0) run_first_process(state);
  int result = CHOST_FINE;
  if (child < 0) {
    *detail = errno;
    result = CHOST_FORBIDDEN;
  } else {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    memcpy(answers, state->answers, answer_bytes);
    if (state->failure != 0) {
      result = state->failure;
      *detail = state->detail;
    } else if (status != 0 || state->done < count) {
      result = CHOST_DIED;
      *detail = status;
    }
  }
  munmap(shared, all);
  return result;
}

void chost_kernel(char *text, uint32_t size) {
  struct utsname name;
  if (uname(&name) != 0) memset(&name, 0, sizeof name);
  snprintf(text, size, "%s %s %s %s", name.sysname, name.release, name.version, name.machine);
}

int chost_is_linux(void) { return 1; }
#else
int chost_run(
  const struct chost_step *steps, uint32_t count, uint64_t start, uint64_t bytes, struct chost_answer *answers,
  int *detail
) {
  (void)steps, (void)count, (void)start, (void)bytes, (void)answers;
  *detail = 0;
  return CHOST_NOT_LINUX;
}

void chost_kernel(char *text, uint32_t size) { snprintf(text, size, "not Linux"); }

int chost_is_linux(void) { return 0; }
#endif
