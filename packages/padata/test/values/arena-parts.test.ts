// How an arena grows: by how much, where stretches lie then, and a thread that takes a job before it has heard of its part.
import { expect, test } from '@jest/globals';
import { LooseArena } from '../../dist/loose/loose-arena.js';
import { ArenaParts } from '../../dist/protocol/arena-parts.js';
import { CONTROL_MAGIC, HEAD, controlLayout } from '../../dist/protocol/control-layout.js';
import { partBytes } from '../../dist/arena/part-sizes.js';
import { ResultRoom } from '../../dist/arena/result-room.js';
import { SlotArena } from '../../dist/arena/slot-arena.js';
import type { PartMemory } from '../../dist/protocol/arena-parts.js';
import { ringMemory } from '../../dist/protocol/ring-layout.js';
import { statOffsets } from '../../dist/protocol/ring-stats.js';
import { ringOf, runnerOf } from '../fixtures/one-thread.js';
import { Random } from '../../../../tools/kit/random.mjs';

const MIB = 1 << 20;
const shared = (n: number) => new SharedArrayBuffer(n);

test('an arena doubles to what some jobs for each thread need, and stops', () => {
  const sizes = (wanted: number, threads: number, from = 65_536): number[] => {
    const all = [from];
    for (;;) {
      const more = partBytes(all.at(-1)!, wanted, threads);
      if (more === 0) return all.slice(1);
      expect(more % 8).toBe(0);
      expect(more).toBeGreaterThanOrEqual(wanted);
      all.push(all.at(-1)! + more);
    }
  };
  // Small jobs: four megabytes, in a few steps.
  expect(sizes(2048, 2).at(-1)).toBe(4 * MIB);
  expect(sizes(2048, 2).length).toBeLessThan(8);
  // Large ones: sixteen of them, or four for each thread; 64 MiB at most.
  expect(sizes(MIB, 2).at(-1)).toBe(16 * MIB);
  expect(sizes(MIB, 8).at(-1)).toBe(32 * MIB);
  expect(sizes(16 * MIB, 2).at(-1)).toBe(64 * MIB);
  expect(sizes(60 * MIB, 2)).toEqual([64 * MIB]);
  expect(sizes(64 * MIB, 2)).toEqual([]);
  // An arena that was asked for as large as that stays as it is.
  expect(sizes(1024, 2, 256 * MIB)).toEqual([]);
});

test('an address is in the part that it was given out in', () => {
  const parts = new ArenaParts(shared(96), 32, 64);
  parts.add({ first: 64, buffer: shared(128) });
  parts.add({ first: 192, buffer: shared(8) });
  // One that is known is not added again.
  parts.add({ first: 64, buffer: shared(128) });
  expect([0, 63, 64, 191, 192, 199].map((at) => parts.at(at).first)).toEqual([
    0, 0, 64, 64, 192, 192,
  ]);
  expect([parts.end, parts.ownBytes]).toEqual([200, 64]);
  expect(parts.added.map(({ first, buffer }) => [first, buffer.byteLength])).toEqual([
    [64, 128],
    [192, 8],
  ]);
  expect(parts.has(parts.at(70).bytes.buffer)).toBe(true);
  expect(parts.has(new ArrayBuffer(8))).toBe(false);
});

interface Job {
  readonly first: number;
  readonly end: number;
  readonly token: number;
}
test.each(Array.from({ length: 6 }, (_, seed) => seed))(
  'a circle that grows gives nothing out twice, nor across a border (seed %i)',
  (seed) => {
    const random = new Random(seed);
    const arena = new SlotArena(256);
    const borders: number[] = [];
    const jobs: Job[] = [];
    let grown = 0;
    for (let step = 0; step < 3000; step += 1) {
      if (random.below(5) < 3) {
        const bytes = 8 * (1 + random.below(random.once(8) ? 40 : 8));
        let first = arena.find(bytes);
        if (first < 0 && arena.mayGrow) {
          if (arena.bytes < 4096) {
            borders.push(arena.bytes);
            arena.extend(arena.bytes + 8 * (40 + random.below(40)));
            grown += 1;
          } else arena.goOn();
          first = arena.find(bytes);
        }
        if (first < 0) continue;
        const end = first + bytes;
        const most = arena.limit(first);
        expect(most).toBeGreaterThanOrEqual(end);
        expect(end).toBeLessThanOrEqual(arena.bytes);
        expect(borders.filter((at) => first < at && at < most)).toEqual([]);
        expect(jobs.filter((job) => first < job.end && job.first < most)).toEqual([]);
        arena.head = end;
        jobs.push({ first, end, token: arena.take() });
      } else if (jobs.length > 0) {
        const { token } = jobs.shift()!;
        arena.delivered(token, false);
        arena.giveBack(token);
      }
    }
    expect(grown).toBeGreaterThan(2);
    expect(borders.length).toBe(grown);
    // All of the last part is there for a job of its size.
    for (const { token } of jobs) arena.giveBack(token);
    const last = arena.bytes - borders.at(-1)!;
    expect(arena.longest).toBeGreaterThanOrEqual(last);
    expect(arena.find(arena.longest)).toBeGreaterThanOrEqual(0);
    expect(arena.isEmpty).toBe(true);
  },
);

test('a circle that found too little while it could not grow, grows when it comes to its end', () => {
  const arena = new SlotArena(64);
  const give = (bytes: number): number => {
    arena.head = arena.find(bytes) + bytes;
    return arena.take();
  };
  const first = give(32);
  give(24);
  arena.delivered(first, false);
  arena.giveBack(first);
  // Round the end: what lies behind it is the oldest job's.
  give(16);
  expect([arena.find(24), arena.mayGrow]).toEqual([-1, false]);
  arena.giveBack(56);
  give(32);
  arena.giveBack(16);
  give(16);
  arena.giveBack(48);
  // There is room in the circle again, at its beginning, and still it asks for more at its end.
  expect([arena.find(24), arena.mayGrow]).toEqual([-1, true]);
  arena.extend(128);
  expect(arena.find(24)).toBe(64);
  // Or does without.
  const other = new SlotArena(64);
  other.head = other.find(56) + 56;
  other.take();
  expect([other.find(16), other.mayGrow]).toEqual([-1, true]);
  other.goOn();
  expect(other.find(8)).toBe(56);
});

test('an arena without an order grows behind its end, and no stretch lies on both sides', () => {
  const arena = new LooseArena(64, 8);
  const first = arena.find(40);
  arena.take(0, first, first + 40);
  expect(arena.find(48)).toBe(-1);
  arena.extend(160);
  const second = arena.find(48);
  expect(second).toBe(64);
  arena.take(1, second, second + 48);
  // 24 before the border and 48 behind it: no room for 56 in one.
  expect([arena.find(24), arena.longest]).toEqual([112, 96]);
  expect(arena.find(56)).toBe(-1);
  arena.giveBack(arena.delivered(0, false));
  arena.giveBack(arena.delivered(1, false));
  expect([arena.isEmpty, arena.find(96), arena.find(104)]).toEqual([true, 64, -1]);
});

test('room for results is learned from two of eight that had none, and forgotten again', () => {
  const room = new ResultRoom();
  const many = 'x'.repeat(10_000);
  room.missed(many);
  expect([room.bytes, room.isWatching]).toEqual([0, true]);
  for (let i = 0; i < 8; i += 1) room.fitted(0);
  expect(room.isWatching).toBe(false);
  // One of ten is none of eight.
  for (let i = 0; i < 50; i += 1) {
    room.missed(many);
    for (let k = 0; k < 9; k += 1) room.fitted(10);
  }
  expect(room.bytes).toBe(0);
  room.missed(many);
  room.missed(many);
  expect(room.bytes).toBeGreaterThanOrEqual(10_000);
  expect(room.bytes).toBeLessThan(12_000);
  for (let i = 0; i < 500; i += 1) room.fitted(9000);
  expect(room.bytes).toBeGreaterThanOrEqual(10_000);
  for (let i = 0; i < 500; i += 1) room.fitted(0);
  expect([room.bytes, room.isWatching]).toEqual([0, false]);
  // What no room would have helped teaches nothing.
  for (let i = 0; i < 100; i += 1) room.missed(new Map());
  expect(room.bytes).toBe(0);
  room.missed([1, 'two']);
});

/** A ring without threads, and runners of threads that hear of its parts when they are told. */
function ringAndRunners(pendingPerThread: number) {
  const told: PartMemory[] = [];
  const ring = ringOf(
    { window: 8, arenaBytes: 1024, capacity: 2 },
    { tellPart: (_ring, part) => told.push(part) },
  );
  const { buffer, window } = ring.memory;
  const control = new Int32Array(new SharedArrayBuffer(controlLayout(2).wordCount * 4));
  control[HEAD.MAGIC] = CONTROL_MAGIC;
  const at = { looks: 0, pending: 0 };
  const runner = (worker: number) =>
    runnerOf(
      ring,
      {
        worker,
        control,
        takeMail: () => (at.looks += 1),
        beginAsync: () => (at.pending += 1),
        endAsync: () => (at.pending -= 1),
      },
      { memory: ringMemory(buffer, window, 1024), threads: 2, pendingPerThread },
    );
  return { ring, told, at, runner };
}

test('a thread that has taken a job before its mail has told it of the part, does it when it hears', () => {
  const { ring, told, at, runner: makeRunner } = ringAndRunners(64);
  const runner = makeRunner(1);
  runner.fn = (input) => input;
  const results: unknown[] = [];
  const submit = (input: unknown): void => {
    ring.submit(input, (error, value) => results.push(error ?? value), undefined, 0, 0);
  };
  const long = new Uint8Array(5000).fill(3);
  submit('before');
  submit(long);
  submit('behind');
  expect([told.length, ring.memory.arena.end > 10_000]).toEqual([1, true]);
  for (let i = 0; i < 4; i += 1) runner.scan();
  ring.deliver(8, 0);
  // It looked into its mail, found nothing, and holds the job; its loop goes on for it.
  expect([results, at.looks > 0, at.pending > 0]).toEqual([['before'], true, true]);
  runner.addPart(told[0]!);
  for (let i = 0; i < 4; i += 1) runner.scan();
  ring.deliver(8, 0);
  expect(results).toEqual(['before', long, 'behind']);
  expect(at.pending).toBe(0);
});

test('a thread that waits for a part takes one job of it: the others are for who knows the part', () => {
  const { ring, told, at, runner } = ringAndRunners(64);
  const late = runner(1);
  const knows = runner(2);
  const ran: number[] = [];
  late.fn = (input) => {
    ran.push((input as Uint8Array)[0]!);
    return 1;
  };
  knows.fn = (input) => {
    ran.push((input as Uint8Array)[0]!);
    return 2;
  };
  const results: unknown[] = [];
  for (let i = 0; i < 4; i += 1) {
    const input = new Uint8Array(2000).fill(i);
    ring.submit(input, (error, value) => results.push(error ?? value), undefined, 0, 0);
  }
  expect(told.length).toBe(1);
  for (let i = 0; i < 8; i += 1) {
    late.scan();
    late.steal();
  }
  expect([ran, at.pending, late.canWork]).toEqual([[], 1, false]);
  knows.addPart(told[0]!);
  for (let i = 0; i < 8; i += 1) {
    knows.scan();
    knows.steal();
  }
  expect(ran).toEqual([1, 2, 3]);
  late.addPart(told[0]!);
  ring.deliver(8, 0);
  expect([ran, results, at.pending]).toEqual([[1, 2, 3, 0], [1, 2, 2, 2], 0]);
});

test('what waits for its part counts as a promise that may come, and as one run', () => {
  const { ring, told, at, runner } = ringAndRunners(1);
  const late = runner(1);
  let begun = 0;
  late.fn = (input: unknown) => {
    begun += 1;
    return input instanceof Map ? 7 : new Promise(() => undefined);
  };
  ring.submit(new Uint8Array(5000), () => undefined, undefined, 0, 0);
  late.scan();
  expect([late.hasRoom, at.pending, begun]).toEqual([false, 1, 0]);
  late.addPart(told[0]!);
  expect([late.hasRoom, at.pending, begun]).toEqual([false, 1, 1]);
  const { run } = statOffsets(1);
  const runs = ring.stats.slice(run, statOffsets(2).wait).reduce((sum, n) => sum + n, 0);
  expect(runs).toBe(1);
});
