// When the owner falls asleep after a delivery: its turns, with threads in the test's hands.
import { expect, test } from '@jest/globals';
import type { Crew } from '../dist/crew/crew.js';
import { HEAD, controlLayout } from '../dist/protocol/control-layout.js';
import { RING } from '../dist/protocol/ring-layout.js';
import type { Platform } from '../dist/threads/platform.js';
import type { Feeder } from '../dist/turns/feeder.js';
import { OwnerTurns } from '../dist/turns/owner-turns.js';
import type { RingEntry } from '../dist/turns/ring-entry.js';
import { ringOf, runnerOf } from './fixtures/one-thread.js';

/** An owner with jobs of so many nanoseconds and one thread. */
function ownerOf(ns: number) {
  const words = new Int32Array(new SharedArrayBuffer(4 * controlLayout(1).wordCount));
  const ring = ringOf({ window: 16 });
  const known = (): void => {
    ring.memory.words[RING.RUN_NS] = ns;
  };
  known();
  let wakes = 0;
  const runner = runnerOf(ring, { control: words, wake: () => (wakes += 1) });
  runner.fn = (n) => n;
  const turns: (() => void)[] = [];
  const nothing = (): void => undefined;
  const platform = { yieldToEvents: () => new Promise<void>((resolve) => turns.push(resolve)) };
  const crew = { words, capacity: 0, target: 1, members: () => [], isAlone: false };
  const keeps = { ref: nothing, unref: nothing, startFor: nothing };
  const feeder = { feed: nothing, canFeed: () => false, turnMs: 0 };
  const entry = { ring, runner, level: 0, onDelivered: nothing };
  const owner = new OwnerTurns(
    platform as unknown as Platform,
    { ...crew, ...keeps } as unknown as Crew,
    new Map([[ring.id, entry as unknown as RingEntry]]),
    feeder as unknown as Feeder,
  );
  const seen: unknown[] = [];
  const submit = (value: number): void => {
    ring.submit(value, (_error, result) => seen.push(result), undefined, 0, 0);
    owner.noteSubmit(ring);
  };
  const run = (sequence: number): void => {
    expect(runner.runOne(sequence)).toBe(true);
    known();
  };
  const isAsleep = (): boolean => words[HEAD.OWNER_ASLEEP] === 1;
  return { submit, run, owner, turns, seen, isAsleep, wakes: () => wakes };
}

/** What follows within the same turn of the event loop: no timer of the owner's comes between. */
async function reactions(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
}

test.each([
  ['end meanwhile: one more turn of the event loop is worth while', 20_000, 1],
  ['take longer than a turn of the event loop: the owner sleeps at once', 80_000, 0],
])('after a delivery, jobs that are out %s', async (_what, ns, more) => {
  const { submit, run, owner, turns, seen, isAsleep, wakes } = ownerOf(ns);
  for (let i = 0; i < 3; i += 1) submit(i);
  await reactions();
  // Nothing is done yet, so what was submitted is looked at once more, or not at all.
  for (const turn of turns.splice(0)) turn();
  await reactions();
  expect(isAsleep()).toBe(true);
  run(0);
  expect(wakes()).toBe(1);
  owner.deliverAll();
  expect(seen).toEqual([0]);
  await reactions();
  expect(turns).toHaveLength(more);
  expect(isAsleep()).toBe(more === 0);
  for (const turn of turns.splice(0)) turn();
  await reactions();
  expect(turns).toHaveLength(0);
  expect(isAsleep()).toBe(true);
  // Whoever ends the next job wakes it.
  run(1);
  expect(wakes()).toBe(2);
  owner.deliverAll();
  expect(seen).toEqual([0, 1]);
});
