// SPDX-License-Identifier: MIT
#ifndef CHOST_INTERNAL_H
#define CHOST_INTERNAL_H

#include "CHost.h"
#include <stddef.h>

// What all processes of a run share.
struct chost_run_state {
  uint32_t done; // steps that are done; a futex
  uint32_t count;
  uint64_t start, end;
  int32_t failure; // of the preparation
  int32_t detail;
  const struct chost_step *steps;
  struct chost_answer *answers;
};

// Files of /proc, opened once by each process.
struct chost_files {
  int areas, pages;
};

void chost_look(const struct chost_run_state *state, const struct chost_files *files, struct chost_answer *answer);
int chost_window_is_free(const struct chost_run_state *state);
void chost_perform(const struct chost_run_state *state, const struct chost_step *step, struct chost_answer *answer);
int chost_prepare_signals(void);

#endif
