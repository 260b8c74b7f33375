// The parts of a ring without an order, each against a naive model: which slot is free, which job is next, whose the bytes are.
import { expect, test } from '@jest/globals';
import { FreeSlots } from '../../dist/loose/free-slots.js';
import { LooseArena } from '../../dist/loose/loose-arena.js';
import { StartQueue } from '../../dist/loose/start-queue.js';
import { loose } from '../../dist/protocol/machine.js';
import { SLOT, SlotState, slotWord } from '../../dist/protocol/ring-layout.js';
import { makeBlock } from '../../dist/ring/ring-store.js';
import { Random } from '../../../../tools/kit/random.mjs';

test('slots are used in turn, first given back first', () => {
  const slots = new FreeSlots(4);
  const take = (): number => {
    const index = slots.next!;
    slots.take();
    return index;
  };
  expect([take(), take(), take(), take()]).toEqual([0, 1, 2, 3]);
  expect([slots.next, slots.free]).toEqual([undefined, 0]);
  slots.give(2);
  slots.give(0);
  expect([take(), take(), slots.next]).toEqual([2, 0, undefined]);
});

/** A queue whose jobs the test begins itself. */
function queueOf(window: number, first: number) {
  const { memory } = makeBlock({ window, arenaBytes: 64, capacity: 1, shared: false });
  for (let i = 0; i < window; i += 1) memory.words[slotWord(window, i) + SLOT.SEQ] = i;
  const queue = new StartQueue(memory, first);
  const setState = (index: number, state: number): void => {
    memory.words[slotWord(window, index) + SLOT.STATE] = state;
  };
  const slotAt = (place: number): number =>
    memory.words[loose.slotAt(memory.words, window, place) + SLOT.SEQ]!;
  return { queue, setState, slotAt };
}

test.each([1, 2, 4])(
  'window %d: a job that is not begun stays in the queue while others come and go',
  (window) => {
    const { queue, setState, slotAt } = queueOf(window, 0);
    // Slot 0 is reserved and not begun for as long as 50 jobs come and go in the others.
    setState(0, SlotState.READY);
    queue.add(0);
    for (let n = 0; window > 1 && n < 50; n += 1) {
      const index = 1 + (n % (window - 1));
      setState(index, SlotState.READY);
      queue.add(index);
      expect(slotAt(queue.end - 1)).toBe(index);
      const last = Array.from({ length: window }, (_, i) => queue.end - 1 - i).filter(
        (p) => p >= 0,
      );
      expect(last.map(slotAt)).toContain(0);
      setState(index, SlotState.FREE);
    }
    setState(0, SlotState.FREE);
    // One job alone takes one place each time, also where its own was.
    const before = queue.end;
    for (let n = 0; n < 5; n += 1) {
      setState(0, SlotState.READY);
      queue.add(0);
      setState(0, SlotState.FREE);
    }
    expect(queue.end - before).toBe(5);
  },
);

test.each([0, 2 ** 31 - 3, 2 ** 32 - 3])(
  'whatever is begun and ended, each job that is not begun has a place among the last of the window (from place %d)',
  (first) => {
    const window = 8;
    const random = new Random(first + 1);
    const { queue, setState, slotAt } = queueOf(window, first);
    const waiting = new Set<number>();
    const free = new Set(Array.from({ length: window }, (_, i) => i));
    for (let step = 0; step < 3000; step += 1) {
      if (random.below(2) === 0 && free.size > 0) {
        const index = [...free][random.below(free.size)]!;
        free.delete(index);
        waiting.add(index);
        setState(index, SlotState.READY);
        queue.add(index);
      } else if (waiting.size > 0) {
        const index = [...waiting][random.below(waiting.size)]!;
        waiting.delete(index);
        free.add(index);
        setState(index, SlotState.FREE);
      } else continue;
      // After a death a job may be added although it is there.
      if (waiting.size > 0 && random.below(20) === 0) queue.add([...waiting][0]!);
      const named = new Set<number>();
      for (let i = 1; i <= window; i += 1) {
        if (((queue.end - i - first) | 0) >= 0) named.add(slotAt((queue.end - i) | 0));
      }
      expect([...waiting].filter((index) => !named.has(index))).toEqual([]);
    }
  },
);

interface Stretch {
  readonly first: number;
  readonly end: number;
}
const overlaps = (a: Stretch, b: Stretch) => Math.max(a.first, b.first) < Math.min(a.end, b.end);

test('in a full arena what was given back last is found first, behind whatever lies there now', () => {
  const SLOTS = 1000;
  const arena = new LooseArena(SLOTS * 8, SLOTS);
  const take = (slot: number): number => {
    const first = arena.find(8);
    if (first >= 0) arena.take(slot, first, first + 8);
    return first;
  };
  for (let slot = 0; slot < SLOTS; slot += 1) expect(take(slot)).toBe(slot * 8);
  const give = (slot: number): void => {
    arena.giveBack(arena.delivered(slot, false));
  };
  for (const slot of [700, 20, 450]) give(slot);
  expect([450, 20, 700, 700].map(take)).toEqual([450 * 8, 20 * 8, 700 * 8, -1]);
  // The one in front is given back too, before anybody looked: both are one stretch.
  give(31);
  give(30);
  expect(arena.find(16)).toBe(30 * 8);
  expect([take(30), take(31), take(32)]).toEqual([30 * 8, 31 * 8, -1]);
});

test.each([1, 2, 3, 4])('nobody gets bytes that somebody has (seed %d)', (seed) => {
  const BYTES = 512;
  const SLOTS = 16;
  const random = new Random(seed);
  const arena = new LooseArena(BYTES, SLOTS);
  const jobs = new Map<number, Stretch>();
  /** By slot while a callback looks; then as long as a consumer does; then as long as a function may. */
  const kept: Stretch[] = [];
  const holes = new Map<number, Stretch & { worker: number }>();
  let sequence = 0;
  const isUsed = (stretch: Stretch) =>
    [...jobs.values(), ...kept, ...holes.values()].some((other) => overlaps(stretch, other));
  for (let step = 0; step < 5000; step += 1) {
    const what = random.below(6);
    const [index] = [...jobs.keys()].slice(random.below(Math.max(1, jobs.size)));
    if (what < 3 && jobs.size < SLOTS) {
      const slot = Array.from({ length: SLOTS }, (_, i) => i).find((i) => !jobs.has(i))!;
      const bytes = 8 * random.below(17);
      const first = arena.find(bytes);
      if (first < 0) {
        expect(jobs.size + kept.length + holes.size).toBeGreaterThan(0);
        continue;
      }
      const limit = arena.limit();
      expect(limit).toBeLessThanOrEqual(BYTES);
      // It may grow up to there, and no byte further.
      const stretch = { first, end: random.below(3) === 0 ? limit : first + bytes };
      expect(isUsed({ first, end: limit })).toBe(false);
      if (limit < BYTES) expect(isUsed({ first: limit, end: limit + 1 })).toBe(true);
      arena.take(slot, first, stretch.end);
      jobs.set(slot, stretch);
    } else if (what === 3 && index !== undefined) {
      const keep = random.below(3) === 0;
      const given = arena.delivered(index, keep);
      if (keep) kept.push(jobs.get(index)!);
      jobs.delete(index);
      arena.giveBack(given);
    } else if (what === 4 && kept.length > 0) {
      kept.shift();
      arena.release();
    } else if (what === 5 && index !== undefined && random.below(3) === 0) {
      const stretch = jobs.get(index)!;
      const worker = 1 + random.below(2);
      sequence += 1;
      arena.keepHole({ sequence, worker, ...stretch }, index);
      if (stretch.end > stretch.first) holes.set(sequence, { worker, ...stretch });
      expect(arena.delivered(index, false)).toBeUndefined();
      jobs.delete(index);
    } else if (holes.size > 3) {
      const [oldest, { worker }] = [...holes][0]!;
      if (random.below(2) === 0) {
        arena.closeHole(oldest);
        holes.delete(oldest);
      } else {
        arena.closeHolesOf(worker);
        for (const [s, hole] of [...holes]) if (hole.worker === worker) holes.delete(s);
      }
    }
  }
  for (const index of jobs.keys()) arena.giveBack(arena.delivered(index, false));
  // What abandoned functions hold is in the way still, and nothing else is once the consumer has let go.
  while (kept.splice(0, 1).length > 0) arena.release();
  const sorted = [...holes.values()].sort((a, b) => a.first - b.first);
  let longest = 0;
  let at = 0;
  for (const { first, end } of [...sorted, { first: BYTES, end: BYTES }]) {
    longest = Math.max(longest, first - at);
    at = end;
  }
  expect(arena.longest).toBe(longest);
  arena.closeHolesOf(1);
  arena.closeHolesOf(2);
  expect(arena.isEmpty).toBe(true);
  expect(arena.find(BYTES)).toBe(0);
});
