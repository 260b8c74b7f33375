/*
 * The loop to compare with: initialises 64-byte page descriptors field by field, as a kernel does before
 * it hands pages over, on a number of threads; or memset of a number of bytes a page.
 *
 *   page-loop (loop|memset) (warm|cold) PAGES THREADS BYTES_PER_PAGE REPEATS
 *
 * Prints "wall_ms cpu_ms" per repeat. Warm: the memory was touched before; cold: fresh for each repeat.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

struct descriptor {
  uint64_t flags;
  struct descriptor *next;
  struct descriptor *previous;
  void *mapping;
  uint64_t index;
  uint64_t private_word;
  int32_t map_count;
  int32_t reference_count;
  uint64_t group;
};

_Static_assert(sizeof(struct descriptor) == 64, "a descriptor is 64 bytes");

static char *memory;
static size_t pages, bytes_per_page;
static int threads, use_memset;
static pthread_barrier_t gate;

static __attribute__((noinline)) void init_pages(size_t start, size_t end) {
  struct descriptor *all = (struct descriptor *)memory;
  for (size_t pfn = start; pfn < end; pfn++) {
    struct descriptor *page = &all[pfn];
    memset(page, 0, sizeof *page);
    page->flags = ((uint64_t)2 << 62) | ((uint64_t)(pfn >> 15) << 26) | ((uint64_t)0x1fffff << 4);
    page->reference_count = 1;
    page->map_count = -1;
    page->next = page;
    page->previous = page;
  }
}

static void work(int id) {
  size_t start = pages / threads * id;
  size_t end = id == threads - 1 ? pages : start + pages / threads;
  if (use_memset) memset(memory + start * bytes_per_page, 1, (end - start) * bytes_per_page);
  else init_pages(start, end);
}

static void *helper(void *id) {
  for (;;) {
    pthread_barrier_wait(&gate);
    work((int)(intptr_t)id);
    pthread_barrier_wait(&gate);
  }
  return NULL;
}

static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  if (argc != 7) return 2;
  use_memset = strcmp(argv[1], "memset") == 0;
  int cold = strcmp(argv[2], "cold") == 0;
  pages = strtoull(argv[3], NULL, 10);
  threads = atoi(argv[4]);
  bytes_per_page = use_memset ? strtoull(argv[5], NULL, 10) : sizeof(struct descriptor);
  int repeats = atoi(argv[6]);
  size_t bytes = pages * bytes_per_page;
  pthread_barrier_init(&gate, NULL, threads);
  for (int id = 1; id < threads; id++) {
    pthread_t thread;
    pthread_create(&thread, NULL, helper, (void *)(intptr_t)id);
  }
  for (int i = cold ? 0 : -1; i < repeats; i++) {
    if (memory == NULL || cold) {
      if (memory != NULL) munmap(memory, bytes);
      memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (memory == MAP_FAILED) return 3;
    }
    double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    if (threads > 1) pthread_barrier_wait(&gate);
    work(0);
    if (threads > 1) pthread_barrier_wait(&gate);
    wall = now(CLOCK_MONOTONIC) - wall;
    cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    if (i >= 0) printf("%.4f %.4f\n", wall, cpu);
  }
  return 0;
}
