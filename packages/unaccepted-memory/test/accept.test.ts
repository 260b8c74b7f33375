import { expect, test } from '@jest/globals';
import { AcceptError, UnacceptedMemory } from '@bootmem/unaccepted-memory';
import type { AcceptBackend, UnacceptedMemoryOptions } from '@bootmem/unaccepted-memory';

const K = 1024;
const M = K * K;

/** A backend that notes the calls in MiB and can be told to fail. */
function recorder(
  granularity = 2 ** 40,
): AcceptBackend & { calls: [number, number][]; fail: boolean } {
  const self = {
    name: 'recorder',
    granularity,
    maxRun: Number.MAX_SAFE_INTEGER,
    repeatable: 'never' as const,
    calls: [] as [number, number][],
    fail: false,
    accept(start: number, end: number) {
      if (self.fail) throw new Error('refused');
      self.calls.push([start / M, end / M]);
    },
    toHandle: () => ({ kind: 'recorder' }),
  };
  return self;
}

function create(
  rangesInM: [number, number][],
  options: Partial<UnacceptedMemoryOptions> = {},
): { memory: UnacceptedMemory; calls: [number, number][]; backend: ReturnType<typeof recorder> } {
  const backend = recorder();
  const memory = UnacceptedMemory.create({
    ranges: rangesInM.map(([start, end]) => ({ start: start * M, end: end * M })),
    backend,
    ...options,
  });
  return { memory, calls: backend.calls, backend };
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as AcceptError).code;
  }
  return 'no error';
}

test('a request inside one unit accepts that unit and no guard', () => {
  const { memory, calls } = create([[0, 16]]);
  memory.acceptMemory(3 * M, 4096);
  expect(calls).toEqual([[2, 4]]);
});

test('a request that ends on a unit boundary also accepts the guard unit', () => {
  const { memory, calls } = create([[0, 16]]);
  memory.acceptMemory(2 * M, 2 * M);
  expect(calls).toEqual([[2, 6]]);
});

test('there is no guard past the end of the bitmap', () => {
  const { memory, calls } = create([[0, 16]]);
  memory.acceptMemory(14 * M, 2 * M);
  expect(calls).toEqual([[14, 16]]);
});

test('chunks in ascending order cost three units once, then two', () => {
  const { memory, calls } = create([[0, 16]]);
  for (let chunk = 0; chunk < 4; chunk += 1) memory.acceptMemory(chunk * 4 * M, 4 * M);
  expect(calls).toEqual([
    [0, 6],
    [6, 10],
    [10, 14],
    [14, 16],
  ]);
});

test('without guard exactly the intersecting units are accepted', () => {
  const { memory, calls } = create([[0, 16]], { guard: false });
  memory.acceptMemory(2 * M, 2 * M);
  const guarded = create([[0, 16]]);
  guarded.memory.acceptExactly(2 * M, 2 * M);
  expect(calls).toEqual([[2, 4]]);
  expect(guarded.calls).toEqual([[2, 4]]);
});

test('what lies below the base or past the bitmap counts as accepted', () => {
  const { memory, calls } = create([[8, 16]]);
  memory.acceptMemory(0, 4 * M);
  expect(memory.containsUnaccepted(0, 4 * M)).toBe(false);
  memory.acceptMemory(100 * M, 4 * M);
  expect(memory.containsUnaccepted(100 * M, 4 * M)).toBe(false);
  expect(calls).toEqual([]);
  // A range that ends at the base touches the guard: unit 0.
  expect(memory.containsUnaccepted(6 * M, 2 * M)).toBe(true);
  memory.acceptMemory(6 * M, 2 * M);
  expect(calls).toEqual([[8, 10]]);
});

test('accepted units cost no platform call, a mixed range one call per run', () => {
  const { memory, calls } = create([[0, 32]]);
  memory.acceptExactly(4 * M, 2 * M);
  memory.acceptExactly(12 * M, 2 * M);
  calls.length = 0;
  memory.acceptExactly(0, 20 * M);
  expect(calls).toEqual([
    [0, 4],
    [6, 12],
    [14, 20],
  ]);
  calls.length = 0;
  expect(memory.acceptExactly(0, 20 * M)).toEqual({ cells: 0, calls: 0, waited: 0 });
  expect(calls).toEqual([]);
});

// Size 0 follows the arithmetic of the kernel: the guard of an end on a boundary, else the unit that holds it.
test('size 0 means the unit that holds the start', () => {
  const { memory, calls } = create([[0, 16]]);
  memory.acceptMemory(4 * M, 0);
  memory.acceptMemory(9 * M, 4096);
  expect(calls).toEqual([
    [4, 6],
    [8, 10],
  ]);
});

test('an end just short of a unit boundary has its guard only under the rule of 7.0', () => {
  const now = create([[0, 16]]);
  now.memory.acceptMemory(0, 2 * M - 8);
  expect(now.calls).toEqual([[0, 4]]);
  const then = create([[0, 16]], { release: '6.19', walk: 'kernel' });
  then.memory.acceptMemory(0, 2 * M - 8);
  expect(then.calls).toEqual([[0, 2]]);
});

test('the walk of upstream misses the last unit of an unaligned range, ours does not', () => {
  const upstream = create([[0, 16]], { release: '7.0', walk: 'kernel' }).memory;
  const ours = create([[0, 16]]).memory;
  upstream.acceptExactly(0, 2 * M);
  ours.acceptExactly(0, 2 * M);
  expect(upstream.containsUnaccepted(1 * M, 2 * M)).toBe(false);
  expect(ours.containsUnaccepted(1 * M, 2 * M)).toBe(true);
});

test('no table means nothing to do', () => {
  const { memory, calls } = create([]);
  memory.acceptMemory(0, 2 ** 40);
  expect(memory.containsUnaccepted(0, 2 ** 40)).toBe(false);
  expect(memory.unacceptedBytes()).toBe(0);
  expect(memory.firstUnaccepted(0, 2 ** 40)).toBeUndefined();
  expect(memory.stateRuns()).toEqual([]);
  expect(calls).toEqual([]);
});

test('edges of the map are accepted while it is created', () => {
  const { memory, calls } = create([
    [1, 8],
    [11, 14],
  ]);
  expect(calls).toEqual([
    [1, 2],
    [11, 14],
  ]);
  expect(memory.unacceptedBytes()).toBe(6 * M);
});

test('an installed table is taken over and handed on', () => {
  const first = create([[0, 16]]).memory;
  first.acceptExactly(4 * M, 2 * M);
  const { memory } = create([], { installed: first.exportTable() });
  expect(memory.unacceptedBytes()).toBe(14 * M);
  expect(memory.unitState(4 * M)).toBe('accepted');
  expect(memory.unitState(6 * M)).toBe('unaccepted');
  expect([...memory.exportTable()]).toEqual([...first.exportTable()]);
});

test('a backend that asks for unaccepted memory while it accepts gets an error, not a deadlock', () => {
  const backend = recorder();
  let inner = 'not called';
  const memory = UnacceptedMemory.create({ ranges: [{ start: 0, end: 16 * M }], backend });
  backend.accept = () => {
    inner = codeOf(() => memory.acceptMemory(8 * M, 4096));
  };
  memory.acceptMemory(0, 4096);
  expect(inner).toBe('ERR_ACCEPT_REENTRANT');
});

test('a unit that the platform refused stays unusable and says so', () => {
  const { memory, backend } = create([[0, 16]]);
  backend.fail = true;
  expect(codeOf(() => memory.acceptMemory(0, 4096))).toBe('ERR_ACCEPT_FAILED');
  backend.fail = false;
  expect(memory.unitState(0)).toBe('interrupted');
  expect(memory.containsUnaccepted(0, 4096)).toBe(true);
  expect(codeOf(() => memory.acceptMemory(0, 4096))).toBe('ERR_ACCEPT_INTERRUPTED');
  memory.acceptMemory(8 * M, 4096);
  expect(memory.stateRuns()).toEqual([
    { start: 0, end: 2 * M, state: 'interrupted' },
    { start: 2 * M, end: 8 * M, state: 'unaccepted' },
    { start: 8 * M, end: 10 * M, state: 'accepted' },
    { start: 10 * M, end: 16 * M, state: 'unaccepted' },
  ]);
  expect(memory.acceptingRanges()).toEqual([]);
});

test('participant slots are bounded, given back by close and taken over', () => {
  const { memory, backend } = create([[0, 16]], { participants: 2 });
  const attach = () => UnacceptedMemory.attach(memory.toHandle(), { backend });
  memory.acceptExactly(0, 2 * M);
  const second = attach();
  second.acceptExactly(2 * M, 2 * M);
  const third = attach();
  expect(codeOf(() => third.acceptExactly(4 * M, 2 * M))).toBe('ERR_ACCEPT_PARTICIPANTS');
  second.close();
  second.close();
  third.acceptExactly(4 * M, 2 * M);
  expect(codeOf(() => second.acceptExactly(6 * M, 2 * M))).toBe('ERR_ACCEPT_CLOSED');
  expect(memory.unacceptedBytes()).toBe(10 * M);
});

test('foreign handles and unknown backends are refused', () => {
  const { memory, backend } = create([[0, 16]]);
  const attachTo = (buffer: ArrayBufferLike): string =>
    codeOf(() =>
      UnacceptedMemory.attach({
        type: 'bootmem.unaccepted-memory',
        buffer,
        threads: memory.toHandle().threads,
        backend: { kind: 'none' },
      }),
    );
  expect(attachTo(new SharedArrayBuffer(64))).toBe('ERR_ACCEPT_HANDLE');
  expect(attachTo(new SharedArrayBuffer(4))).toBe('ERR_ACCEPT_HANDLE');
  const short = (memory.toHandle().buffer as SharedArrayBuffer).slice(0, 200);
  expect(attachTo(short)).toBe('ERR_ACCEPT_HANDLE');
  expect(codeOf(() => UnacceptedMemory.attach(memory.toHandle()))).toBe('ERR_ACCEPT_HANDLE');
  expect(
    codeOf(() => UnacceptedMemory.attach(memory.toHandle(), { backend: recorder(1 * M) })),
  ).toBe('ERR_ACCEPT_ARGUMENT');
  expect(codeOf(() => create([[0, 16]], { backend: recorder(3 * M) }))).toBe('no error');
  expect(codeOf(() => create([[0, 16]], { backend: recorder(3 * K) }))).toBe('ERR_ACCEPT_ARGUMENT');
  expect(backend.calls).toEqual([]);
});

test('arguments out of range are refused before anything changes', () => {
  const { memory, calls } = create([[0, 16]]);
  for (const run of [
    () => memory.acceptMemory(-1, 4096),
    () => memory.acceptMemory(0.5, 4096),
    () => memory.acceptMemory(0, -1),
    () => memory.acceptMemory(2 ** 53 - 1, 2),
    () => memory.containsUnaccepted(0, Number.NaN),
    () => memory.acceptUnits({ start: 3, end: 2 }),
    () => memory.acceptUnits({ start: 0, end: 9 }),
    () => memory.advance(0, 16 * M, 0),
    () => memory.unitState(-1),
    () => memory.reclaim([65]),
    () => memory.reclaim([0]),
    () => memory.isAlive(65),
    () => create([[0, 16]], { participants: 0 }),
    () => create([[0, 16]], { waitLimitMs: -1 }),
    () => create([[0, 16]], { unitSize: 3 * M }),
  ]) {
    expect(codeOf(run)).toBe('ERR_ACCEPT_ARGUMENT');
  }
  expect(calls).toEqual([]);
});

test('advance prepares pieces of a unit and an accept finishes the rest', () => {
  const backend = recorder(512 * K);
  const memory = UnacceptedMemory.create({
    ranges: [{ start: 0, end: 16 * M }],
    backend: { ...backend, maxRun: 512 * K },
    guard: false,
  });
  expect(memory.advance(0, 4 * M, 1)).toBe(512 * K);
  expect(memory.advance(0, 4 * M, 1 * M)).toBe(1 * M);
  expect(memory.unitState(0)).toBe('unaccepted');
  expect(memory.containsUnaccepted(0, 4096)).toBe(true);
  memory.acceptMemory(0, 4096);
  expect(memory.unitState(0)).toBe('accepted');
  expect(backend.calls).toEqual([
    [0, 0.5],
    [0.5, 1],
    [1, 1.5],
    [1.5, 2],
  ]);
  expect(memory.advance(0, 2 * M, 1 * M)).toBe(0);
  expect(memory.advance(0, 16 * M, 100 * M)).toBe(14 * M);
  expect(memory.unacceptedBytes()).toBe(0);
});

test('what fills no unit goes to the backend in pieces that it takes, as units do', () => {
  const backend = { ...recorder(), maxRun: M / 2 };
  const options = { backend, unitSize: 2 * M };
  UnacceptedMemory.create({ ranges: [{ start: M / 4, end: 5.75 * M }], ...options });
  expect(backend.calls).toEqual([
    [0.25, 0.75],
    [0.75, 1.25],
    [1.25, 1.75],
    [1.75, 2],
    [4, 4.5],
    [4.5, 5],
    [5, 5.5],
    [5.5, 5.75],
  ]);
});
