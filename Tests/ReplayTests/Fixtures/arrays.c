// SPDX-License-Identifier: MIT
// The program behind arrays.emtrace: large arrays, so that huge pages come, are split, and give way to base pages.
// Recorded with `emt record -o arrays.emtrace -- ./arrays`, built by `gcc -O1`.
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/mman.h>
int main(void){
  size_t n=48u<<20; unsigned char*s=malloc(n); for(size_t i=0;i<n;i+=4096) s[i]=1;
  unsigned long*h=calloc(4u<<20,8); unsigned long x=88172645463325252ul;
  for(int i=0;i<6000;i++){x^=x<<13;x^=x>>7;x^=x<<17;h[x&((4u<<20)-1)]+=i;}
  char*m=mmap(0,32u<<20,3,MAP_PRIVATE|MAP_ANONYMOUS,-1,0); madvise(m,32u<<20,MADV_HUGEPAGE);
  for(size_t i=0;i<(32u<<20);i+=4096) m[i]=i;
  munmap(m+(1<<20),3u<<20); mprotect(m+(9u<<20),1u<<20,1); madvise(m+(16u<<20),8u<<20,MADV_DONTNEED);
  for(size_t i=16u<<20;i<(32u<<20);i+=4096) m[i]=i;
  printf("%lu %d\n",h[5],s[1000]); return 0;}
