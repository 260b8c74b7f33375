/* malloc and free of the C library on the two programs of objects.bench.ts; prints one JSON line. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIVE 4000

/* As tools/kit/random.mjs. */
static uint32_t state;
static uint32_t next(void) {
  state += 0x6d2b79f5u;
  uint32_t mixed = (state ^ (state >> 15)) * (state | 1u);
  mixed ^= mixed + (mixed ^ (mixed >> 7)) * (mixed | 61u);
  return mixed ^ (mixed >> 14);
}

static double cpu(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *live[LIVE];

static void replace(long pairs, size_t size) {
  for (long i = 0; i < pairs; i++) {
    uint32_t at = (uint32_t)(((uint64_t)next() * LIVE) >> 32);
    free(live[at]);
    live[at] = malloc(size);
  }
}

static void pingpong(long pairs, size_t size) {
  for (long i = 0; i < pairs; i++) {
    void *volatile object = malloc(size);
    free(object);
  }
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  const char *program = argv[1];
  long pairs = atol(argv[2]);
  size_t size = (size_t)atol(argv[3]);
  state = 1;
  int pong = strcmp(program, "ping-pong") == 0;
  for (int i = 0; i < LIVE; i++) live[i] = malloc(size);
  (pong ? pingpong : replace)(pairs / 8, size);
  double start = cpu();
  (pong ? pingpong : replace)(pairs, size);
  printf("{\"pairs\":%ld,\"cpu\":%.6f}\n", pairs, cpu() - start);
  return 0;
}
