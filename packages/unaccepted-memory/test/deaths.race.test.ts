/** Threads that end inside an accept while the one that started them blocks: found by proof, and never by silence. */
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from '@jest/globals';
import { UnacceptedMemory } from '@bootmem/unaccepted-memory';
import type { AcceptBackend, AcceptError } from '@bootmem/unaccepted-memory';
import { countingBackend } from './support/race-worker.mjs';

const K = 1024;
const UNIT = 64 * K;
const PAGES = UNIT / 4096;
const WORKER = new URL('./support/race-worker.mjs', import.meta.url);
const ON_LINUX = process.platform === 'linux';
/** Longer than any test lasts: who gets there was not found by proof. */
const NEVER_MS = 600_000;
const workers: Worker[] = [];

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

function create(
  repeatable: AcceptBackend['repeatable'],
  waitLimitMs = ON_LINUX ? NEVER_MS : 50,
): { memory: UnacceptedMemory; counts: Int32Array } {
  const counts = new SharedArrayBuffer(8 * PAGES * 4);
  const backend = countingBackend({ counts, granularity: UNIT, repeatable });
  const memory = UnacceptedMemory.create({
    ranges: [{ start: 0, end: 8 * UNIT }],
    unitSize: UNIT,
    backend,
    guard: false,
    waitLimitMs,
  });
  return { memory, counts: new Int32Array(counts) };
}

interface Stopped {
  readonly worker: Worker;
  readonly participant: number;
  /** Word 1 lets it go on. */
  readonly sync: Int32Array;
  readonly result: Promise<unknown>;
}

/** A thread that stands still inside the platform call for a unit. */
async function stopInside(memory: UnacceptedMemory, unit: number): Promise<Stopped> {
  const sync = new SharedArrayBuffer(16);
  const participant = memory.reserveParticipant();
  const data = { mode: 'stopInside', handle: memory.toHandle(), participant, sync };
  const worker = new Worker(WORKER, { workerData: { ...data, stopAt: unit * UNIT } });
  workers.push(worker);
  const result = new Promise<unknown>((resolve) => {
    worker.once('message', resolve);
    worker.once('exit', resolve);
  });
  const words = new Int32Array(sync);
  await Atomics.waitAsync(words, 0, 0).value;
  return { worker, participant, sync: words, result };
}

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'no error';
  } catch (error) {
    return (error as AcceptError).code;
  }
}

test('the thread that started the dead one blocks on its unit: it goes on, or is told; elsewhere a time limit', async () => {
  for (const repeatable of ['after-death', 'never'] as const) {
    const { memory, counts } = create(repeatable);
    const dead = await stopInside(memory, 1);
    // No event is handled from here on: nobody says that the worker has exited.
    const ended = dead.worker.terminate();
    const code = codeOf(() => memory.acceptMemory(0, 8 * UNIT));
    if (!ON_LINUX) expect(code).toBe('ERR_ACCEPT_TIMEOUT');
    else {
      expect(code).toBe(repeatable === 'never' ? 'ERR_ACCEPT_INTERRUPTED' : 'no error');
      expect(memory.isAlive(dead.participant)).toBe(false);
      expect([...counts.subarray(PAGES, 2 * PAGES)]).toEqual(
        new Array(PAGES).fill(repeatable === 'never' ? 0 : 1),
      );
    }
    // Whatever became of that one, all others were accepted once.
    expect(counts.filter((count) => count > 1)).toHaveLength(0);
    expect(memory.unacceptedBytes()).toBe(code === 'no error' ? 0 : UNIT);
    await ended;
    expect(memory.findEnded()).toEqual([dead.participant]);
    memory.reclaim(memory.findEnded());
    expect(memory.findEnded()).toEqual([]);
  }
});

test('several die at once: all are marked before anything of one is looked at', async () => {
  const { memory, counts } = create('after-death');
  const dead = [];
  for (const unit of [1, 3, 4]) dead.push(await stopInside(memory, unit));
  await Promise.all(dead.map(({ worker }) => worker.terminate()));
  const seen: (readonly [number, boolean[]])[] = [];
  const participants = dead.map(({ participant }) => participant);
  const inDoubt = memory.reclaim(participants, (participant) => {
    seen.push([participant, participants.map((other) => memory.isAlive(other))]);
  });
  expect(seen).toEqual(participants.map((participant) => [participant, [false, false, false]]));
  expect(inDoubt).toEqual([
    { start: UNIT, end: 2 * UNIT },
    { start: 3 * UNIT, end: 4 * UNIT },
    { start: 4 * UNIT, end: 5 * UNIT },
  ]);
  // The slots are free again, lowest first.
  expect(memory.reserveParticipant()).toBe(participants[0]);
  memory.acceptMemory(0, 8 * UNIT);
  expect([...counts]).toEqual(new Array(8 * PAGES).fill(1));
});

test('a thread that stands still for longer than the limit keeps its unit; the call may be repeated', async () => {
  for (const repeatable of ['after-death', 'never'] as const) {
    const { memory, counts } = create(repeatable, 45);
    const stopped = await stopInside(memory, 2);
    for (let turn = 0; turn < 3; turn += 1) {
      expect(codeOf(() => memory.acceptMemory(2 * UNIT, UNIT))).toBe('ERR_ACCEPT_TIMEOUT');
      expect(memory.unitState(2 * UNIT)).toBe('accepting');
      expect(memory.isAlive(stopped.participant, true)).toBe(true);
    }
    Atomics.store(stopped.sync, 1, 1);
    Atomics.notify(stopped.sync, 1);
    expect(await stopped.result).toBe('went on');
    memory.acceptMemory(2 * UNIT, UNIT);
    expect([...counts.subarray(2 * PAGES, 3 * PAGES)]).toEqual(new Array(PAGES).fill(1));
  }
});

test('the time limit names who is inside', async () => {
  const { memory } = create('never', 1);
  const stopped = await stopInside(memory, 0);
  let details: Readonly<Record<string, unknown>> = {};
  try {
    memory.acceptMemory(0, UNIT);
  } catch (error) {
    ({ details } = error as AcceptError);
  }
  expect(details).toMatchObject({ unit: 0, limit: 1, participant: stopped.participant });
});

test('a slot that is used again: what the dead one left is known as such, what the next one is inside of is not', async () => {
  const { memory, counts } = create('never', 45);
  const first = await stopInside(memory, 1);
  await first.worker.terminate();
  expect(memory.reclaim([first.participant])).toEqual([{ start: UNIT, end: 2 * UNIT }]);
  const second = await stopInside(memory, 3);
  expect(second.participant).toBe(first.participant);
  expect(memory.unitState(UNIT)).toBe('interrupted');
  expect(memory.unitState(3 * UNIT)).toBe('accepting');
  expect(codeOf(() => memory.acceptMemory(UNIT, UNIT))).toBe('ERR_ACCEPT_INTERRUPTED');
  expect(codeOf(() => memory.acceptMemory(3 * UNIT, UNIT))).toBe('ERR_ACCEPT_TIMEOUT');
  expect(memory.unitState(3 * UNIT)).toBe('accepting');
  Atomics.store(second.sync, 1, 1);
  Atomics.notify(second.sync, 1);
  expect(await second.result).toBe('went on');
  memory.acceptMemory(3 * UNIT, UNIT);
  expect([...counts.subarray(3 * PAGES, 4 * PAGES)]).toEqual(new Array(PAGES).fill(1));
});

test('a reserved slot is nobody else’s until it is reclaimed, also when its thread closed', () => {
  const { memory } = create('never');
  const { backend } = memory;
  const id = memory.reserveParticipant();
  const attached = UnacceptedMemory.attach(memory.toHandle(), { participant: id, backend });
  expect(attached.participant).toBe(id);
  const twice = UnacceptedMemory.attach(memory.toHandle(), { participant: id, backend });
  expect(codeOf(() => twice.participant)).toBe('ERR_ACCEPT_ARGUMENT');
  attached.close();
  const other = UnacceptedMemory.attach(memory.toHandle(), { backend });
  expect(other.participant).not.toBe(id);
  expect(memory.reclaim([id])).toEqual([]);
  expect(memory.reserveParticipant()).toBe(id);
});

test('a thread that was said dead while it runs accepts nothing any more', () => {
  const { memory, counts } = create('never');
  const { backend } = memory;
  const ghost = UnacceptedMemory.attach(memory.toHandle(), { backend });
  const { participant } = ghost;
  memory.reclaim([participant]);
  expect(codeOf(() => ghost.acceptMemory(0, UNIT))).toBe('ERR_ACCEPT_CLOSED');
  const heir = UnacceptedMemory.attach(memory.toHandle(), { backend });
  expect(heir.participant).toBe(participant);
  expect(codeOf(() => ghost.acceptMemory(0, UNIT))).toBe('ERR_ACCEPT_CLOSED');
  ghost.close();
  heir.acceptMemory(0, UNIT);
  expect(counts[0]).toBe(1);
  expect(memory.isAlive(participant)).toBe(true);
});

test('reclaim refuses the caller’s own slot and what is no slot, before anything is marked', () => {
  const { memory } = create('never');
  const own = memory.participant;
  const other = memory.reserveParticipant();
  for (const bad of [
    [other, own],
    [other, 0],
    [other, 65],
    [other, 1.5],
  ]) {
    expect(codeOf(() => memory.reclaim(bad))).toBe('ERR_ACCEPT_ARGUMENT');
  }
  expect(memory.findEnded()).toEqual([]);
  expect(memory.reclaim([other, 30])).toEqual([]);
});
