// SPDX-License-Identifier: MIT
// The program behind arrays.emtrace: large arrays, so that huge pages come, are split, and give way to base pages.
// Built by `gcc -O1`, recorded by `emt record -o arrays.emtrace -- ./arrays`.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int main(void) {
  const size_t MiB = 1 << 20;
  unsigned char *marks = malloc(48 * MiB);
  for (size_t i = 0; i < 48 * MiB; i += 4096) marks[i] = 1;

  unsigned long *counters = calloc(4 * MiB, 8);
  unsigned long random = 88172645463325252ul;
  for (int i = 0; i < 6000; i++) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    counters[random & (4 * MiB - 1)] += i;
  }

  char *area = mmap(0, 32 * MiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(area, 32 * MiB, MADV_HUGEPAGE);
  for (size_t i = 0; i < 32 * MiB; i += 4096) area[i] = i;
  munmap(area + 1 * MiB, 3 * MiB);
  mprotect(area + 9 * MiB, 1 * MiB, PROT_READ);
  madvise(area + 16 * MiB, 8 * MiB, MADV_DONTNEED);
  for (size_t i = 16 * MiB; i < 32 * MiB; i += 4096) area[i] = i;
  printf("%lu %d\n", counters[5], marks[1000]);
  return 0;
}
