// SPDX-License-Identifier: MIT
// How the window looks: areas from /proc/self/smaps, pages from /proc/self/pagemap.
#if defined(__linux__)
#define _GNU_SOURCE
#include "internal.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char flag_names[][3] = {
  "mr", "mw", "me", "gd", "lo", "sr", "rr", "dc", "ac", "nr", "wf", "dd", "mg", "sl", "dp", "hg", "nh",
};

static uint64_t hexadecimal(const char **text) {
  uint64_t value = 0;
  for (;; (*text)++) {
    char c = **text;
    if (c >= '0' && c <= '9') value = value << 4 | (uint64_t)(c - '0');
    else if (c >= 'a' && c <= 'f') value = value << 4 | (uint64_t)(c - 'a' + 10);
    else return value;
  }
}

static uint64_t decimal(const char *text) {
  while (*text == ' ') text++;
  uint64_t value = 0;
  while (*text >= '0' && *text <= '9') value = value * 10 + (uint64_t)(*text++ - '0');
  return value;
}

// `start-end rwxp offset device inode  path`
static struct chost_area header(const char *line) {
  struct chost_area area;
  memset(&area, 0, sizeof area);
  area.start = hexadecimal(&line);
  line++;
  area.end = hexadecimal(&line);
  line++;
  if (line[0] == 'r') area.rights |= CHOST_READABLE;
  if (line[1] == 'w') area.rights |= CHOST_WRITABLE;
  if (line[2] == 'x') area.rights |= CHOST_EXECUTABLE;
  if (line[3] == 's') area.rights |= CHOST_SHARED;
  line += 5;
  area.offset = hexadecimal(&line);
  const char *path = strchr(line, '/');
  area.file = CHOST_NO_FILE;
  if (path != NULL) {
    area.file = CHOST_OTHER_FILE;
    if (strncmp(path, "/memfd:", 7) == 0) area.file = (int32_t)decimal(path + 7);
    if (strncmp(path, "/dev/zero", 9) == 0) area.file = CHOST_ANONYMOUS_FILE;
  }
  return area;
}

static uint32_t flags(const char *words) {
  uint32_t found = 0;
  for (; words[0] != 0 && words[1] != 0; words++) {
    for (uint32_t bit = 0; bit < sizeof flag_names / sizeof flag_names[0]; bit++) {
      if (words[-1] == ' ' && words[0] == flag_names[bit][0] && words[1] == flag_names[bit][1]) found |= 1U << bit;
    }
  }
  return found;
}

static void property(struct chost_area *area, const char *line) {
  if (strncmp(line, "Rss:", 4) == 0) area->resident = decimal(line + 4) << 10;
  if (strncmp(line, "Anonymous:", 10) == 0) area->anonymous = decimal(line + 10) << 10;
  if (strncmp(line, "VmFlags:", 8) == 0) area->flags = flags(line + 9);
}

static void look_at_areas(const struct chost_run_state *state, int file, struct chost_answer *answer) {
  char buffer[8192];
  size_t filled = 0;
  struct chost_area *area = NULL;
  if (lseek(file, 0, SEEK_SET) != 0) return;
  for (;;) {
    ssize_t more = read(file, buffer + filled, sizeof buffer - 1 - filled);
    if (more <= 0) return;
    filled += (size_t)more;
    buffer[filled] = 0;
    char *line = buffer;
    for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
      *end = 0;
      // Only lines that begin an area begin with a digit of a small letter's number.
      if ((line[0] >= '0' && line[0] <= '9') || (line[0] >= 'a' && line[0] <= 'f')) {
        struct chost_area next = header(line);
        // Areas are in order of address, so nothing of interest follows one behind the window.
        if (next.start >= state->end) return;
        area = NULL;
        if (next.end <= state->start) continue;
        if (answer->areaCount < CHOST_AREAS) {
          area = &answer->areas[answer->areaCount];
          *area = next;
        }
        answer->areaCount++;
      } else if (area != NULL) {
        property(area, line);
      }
    }
    filled = (size_t)(buffer + filled - line);
    memmove(buffer, line, filled);
  }
}

static void look_at_pages(const struct chost_run_state *state, int file, struct chost_answer *answer) {
  uint64_t entries[CHOST_PAGES];
  ssize_t got = pread(file, entries, sizeof entries, (off_t)((state->start >> 12) * sizeof entries[0]));
  for (ssize_t page = 0; page < got / (ssize_t)sizeof entries[0]; page++) {
    uint64_t entry = entries[page];
    answer->pages[page] = (uint8_t)((entry >> 63 & 1) | (entry >> 62 & 1) << 1 | (entry >> 61 & 1) << 2
      | (entry >> 56 & 1) << 3);
  }
}

void chost_look(const struct chost_run_state *state, const struct chost_files *files, struct chost_answer *answer) {
  answer->areaCount = 0;
  look_at_areas(state, files->areas, answer);
  look_at_pages(state, files->pages, answer);
}

int chost_window_is_free(const struct chost_run_state *state) {
  static struct chost_answer answer;
  int file = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  answer.areaCount = 0;
  look_at_areas(state, file, &answer);
  close(file);
  return answer.areaCount == 0;
}
#else
typedef int chost_look_needs_linux;
#endif
