// The three traces, over an adaptor {alloc(order) -> handle | -1, free(handle, order)}. The C program
// native/buddy.c runs the same ones with the same random numbers.
//
// A trace is a list of slot numbers: a slot that is empty gets a block of its order, a full one is freed.
// Half of the slots, drawn at random, are filled before it begins; then slots are full half of the time, the
// number of slots sets the occupancy, and it stays there however often the trace is replayed.
//   a: order 0 at 60 % occupancy, random frees       b: orders 0..9, halving probabilities, 60 %
//   c: allocate everything, free everything in random order
//   d: as a, but no slot is filled before: each replay fills to 60 % and the next one empties again

import { Random } from '../../../kit/random.mjs';
import { warmUp } from '../../../kit/warm-up.mjs';

const LENGTH = 1 << 20;
const OCCUPANCY = 0.6;

/** Slots, their orders and the order in which they are visited. */
export function makeTrace(pages, maxOrder, seed, length = LENGTH) {
  const random = new Random(seed);
  const pagesPerSlot = maxOrder * 0.5 + 1;
  const slots = Math.floor((2 * OCCUPANCY * pages) / pagesPerSlot);
  const orders = Uint8Array.from({ length: slots }, () =>
    Math.min(Math.clz32(random.next()), maxOrder),
  );
  const visits = Int32Array.from({ length }, () => random.below(slots));
  const filled = Uint8Array.from({ length: slots }, () => random.next() & 1);
  return { orders, visits, filled, live: new Int32Array(slots).fill(-1) };
}

/** Fills the slots that are full before the trace begins. */
function fill({ orders, filled, live }, adaptor) {
  for (let slot = 0; slot < live.length; slot++) {
    if (filled[slot] === 1) live[slot] = adaptor.alloc(orders[slot]);
  }
}

/**
 * A function that replays a trace once and returns the number of operations. The arrays are constants of a
 * closure that is made once, so that the engine folds them into the code as the C compiler does with its
 * static ones: what the loop itself costs is then the same in both programs (4.6 ns, most of it the branch
 * that no predictor can know).
 */
function replayer({ orders, visits, live }, { alloc, free }) {
  const { length } = visits;
  return () => {
    for (let i = 0; i < length; i++) {
      const slot = visits[i];
      const handle = live[slot];
      if (handle === -1) {
        live[slot] = alloc(orders[slot]);
      } else {
        free(handle, orders[slot]);
        live[slot] = -1;
      }
    }
    return length;
  };
}

/** Frees everything that is left. */
export function release({ orders, live }, adaptor) {
  for (let slot = 0; slot < live.length; slot++) {
    if (live[slot] !== -1) adaptor.free(live[slot], orders[slot]);
    live[slot] = -1;
  }
}

/** Random permutation of the pages, for the frees of trace c. */
export function makePermutation(pages, seed) {
  const random = new Random(seed);
  const list = Int32Array.from({ length: pages }, (_, i) => i);
  for (let i = pages - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const t = list[i];
    list[i] = list[j];
    list[j] = t;
  }
  return { list, live: new Int32Array(pages) };
}

/**
 * A function that allocates all pages and frees all in random order; it returns the number of operations.
 * With a limit it stops freeing after so many milliseconds, once: for peers that would take minutes. Their
 * frees get slower as the free list grows, so what is left out would lower their rate.
 */
function fillAndFree({ list, live }, { alloc, free }, limit) {
  if (limit !== undefined) return () => fillAndFreeLimited({ list, live }, { alloc, free }, limit);
  return () => {
    let got = 0;
    for (let i = 0; i < live.length; i++) {
      live[i] = alloc(0);
      if (live[i] !== -1) got++;
    }
    for (let i = 0; i < list.length; i++) {
      const handle = live[list[i]];
      if (handle !== -1) free(handle, 0);
    }
    return 2 * got;
  };
}

function fillAndFreeLimited({ list, live }, { alloc, free }, limit) {
  const end = performance.now() + limit;
  let operations = 0;
  for (let i = 0; i < live.length; i++) {
    live[i] = alloc(0);
    if (live[i] !== -1) operations++;
  }
  for (let i = 0; i < list.length; i++) {
    if ((i & 255) === 0 && performance.now() > end) break;
    if (live[list[i]] !== -1) free(live[list[i]], 0);
    operations++;
  }
  return operations;
}

/** One trace, ready to run: `step` replays it once, `end` frees what is left. */
export function prepare(name, adaptor, pages, seed, length = LENGTH, limit = undefined) {
  if (name === 'c') {
    const work = makePermutation(pages, seed);
    return { step: fillAndFree(work, adaptor, limit), end: () => undefined };
  }
  const trace = makeTrace(pages, name === 'b' ? 9 : 0, seed, length);
  if (name !== 'd') fill(trace, adaptor);
  return {
    step: replayer(trace, adaptor),
    end: () => {
      release(trace, adaptor);
    },
  };
}

/** Replays until the rate stands still. */
export async function warmUpWith(step) {
  await warmUp(() => {
    const start = performance.now();
    return step() / (performance.now() - start);
  });
}

/**
 * Warms up, then runs at least `operations` between `clock()` and the function it gives. With a limit in
 * milliseconds: one pass, not warmed up, that stops there.
 */
export async function run(job, adaptor, clock) {
  const { trace, pages, operations, seed, length, limit } = job;
  // What is allocated at the end ends with the process: peers need minutes to free it.
  const { step } = prepare(trace, adaptor, pages, seed, length ?? LENGTH, limit);
  if (limit === undefined) await warmUpWith(step);
  const stop = clock();
  let done = 0;
  do done += step();
  while (done < operations);
  const times = stop();
  return { operations: done, ...times };
}
