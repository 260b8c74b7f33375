// What the owner makes of what threads say, at one look: a job that waits is not for two.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { WORKER, controlLayout, workerBase } from '../../dist/protocol/control-layout.js';
import { liveTime } from '../fixtures/live-time.js';

jest.unstable_mockModule('../../dist/base/host-time.js', () => liveTime);
const { ElasticThreads } = await import('../../dist/crew/elastic-threads.js');

type Crew = ConstructorParameters<typeof ElasticThreads>[0];
let now = 0;
beforeEach(() => {
  now = 1000;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** A pool of at most three threads, of which the first is there; one job waits. @returns threads that are started */
function setUp({ free = false, importing = 0, atWork = false, promises = 0, takes = false } = {}) {
  const words = new Int32Array(controlLayout(3).wordCount);
  const member = { id: 1, state: 'ready', importing: new Map() };
  for (let i = 0; i < importing; i += 1) member.importing.set(`module ${i}`, 1);
  const at = workerBase(1);
  words[at + WORKER.BUSY_FROM] = Math.floor(performance.timeOrigin + now) | 0;
  words[at + WORKER.PENDING] = promises;
  const started: number[] = [];
  let isTaken = false;
  const demands = () => {
    const jobs = isTaken ? 0 : 1;
    // The thread gets its processor at this very moment.
    isTaken ||= takes;
    return [{ jobs, allows: () => true }];
  };
  const crew = {
    words,
    isElastic: true,
    isAlone: false,
    setupError: undefined,
    isHeld: false,
    target: 1,
    memberList: () => [member],
    member: (id: number) => (id === 1 ? member : undefined),
    isWanted: (id: number) => id === 1,
    isFree: () => free && !isTaken,
    want: (id: number) => started.push(id),
    resize: () => undefined,
  } as unknown as Crew;
  const threads = new ElasticThreads(crew, {
    demands,
    isAsked: () => false,
    isAtWork: () => atWork || isTaken,
    onChange: () => undefined,
  });
  const look = async (): Promise<number[]> => {
    threads.set({ min: 1, max: 3, idleMs: 1000 });
    await Promise.resolve();
    threads.close();
    return started;
  };
  return { look };
}

test('a thread that is free takes the job', async () => {
  expect(await setUp({ free: true }).look()).toEqual([]);
});

test('a job that a thread takes while the owner looks is not for two', async () => {
  expect(await setUp({ free: true, takes: true }).look()).toEqual([]);
  expect(await setUp({ takes: true }).look()).toEqual([]);
});

test('a thread that begins and has nothing yet is about to take it', async () => {
  expect(await setUp().look()).toEqual([]);
});

test.each([
  ['has begun another', { atWork: true }],
  ['imports a module', { importing: 1 }],
  ['has promises to wait for', { promises: 1 }],
] as const)('one that %s is not', async (_what, words) => {
  expect(await setUp(words).look()).toEqual([2]);
});

test('nor one that begins for long', async () => {
  const { look } = setUp();
  now += 1000;
  expect(await look()).toEqual([2]);
});

/** A pool of one thread at least, two at most, and a look of its owner at this time. */
function pool(ids: readonly number[], min: number) {
  const words = new Int32Array(controlLayout(3).wordCount);
  const members = ids.map((id) => ({ id, state: 'ready', importing: new Map() }));
  const dismissed: number[] = [];
  const crew = {
    words,
    isElastic: true,
    isAlone: false,
    setupError: undefined,
    isHeld: false,
    target: 2,
    memberList: () => [...members],
    member: (id: number) => members.find((member) => member.id === id),
    isWanted: () => true,
    isFree: () => true,
    want: () => undefined,
    dismiss: ({ id }: { readonly id: number }) => dismissed.push(id),
    resize: () => undefined,
  } as unknown as Crew;
  const threads = new ElasticThreads(crew, {
    demands: () => [],
    isAsked: () => false,
    isAtWork: () => false,
    onChange: () => undefined,
  });
  threads.set({ min, max: 3, idleMs: 1000 });
  const lookAt = async (at: number): Promise<number[]> => {
    now = at;
    threads.begin();
    await Promise.resolve();
    return dismissed.splice(0);
  };
  /** The thread has done something since. */
  const works = (id: number): void => {
    words[workerBase(id) + WORKER.BUSY_MS]! += 1;
  };
  return { threads, lookAt, works };
}

test('a thread goes when it has done nothing for so long, counted from what it did last', async () => {
  const { threads, lookAt, works } = pool([1, 2], 1);
  expect(await lookAt(1000)).toEqual([]);
  works(1);
  works(2);
  expect(await lookAt(1900)).toEqual([]);
  expect(await lookAt(2100)).toEqual([]);
  works(1);
  expect(await lookAt(2899)).toEqual([]);
  expect(await lookAt(2900)).toEqual([2]);
  threads.close();
});

test('while a thread is wanted that is not there, the owner looks again when one could have nothing to do for long', async () => {
  const timer = jest.spyOn(globalThis, 'setTimeout');
  const { threads, lookAt } = pool([], 1);
  await lookAt(1000);
  expect(timer.mock.calls.map(([, ms]) => ms)).toEqual([1000]);
  threads.close();
});
