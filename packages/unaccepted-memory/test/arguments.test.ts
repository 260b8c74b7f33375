/** Every public function with the same list of bad values: an error with a code, before anything changed. */
import { expect, test } from '@jest/globals';
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import { Memmap } from '@bootmem/memmap';
import {
  Pacer,
  UnacceptedMemory,
  ZoneAcceptor,
  acceptReport,
  acceptUnitsJob,
  createPrefaultBackend,
  runArenaHelper,
} from '@bootmem/unaccepted-memory';
import type { AcceptBackend, AcceptPort } from '@bootmem/unaccepted-memory';
import {
  buildTable,
  createSnpModel,
  createTdxModel,
  meterBackend,
  openBackend,
  readHeader,
} from '@bootmem/unaccepted-memory/platform';
import { checkingPlatform } from './support/checking-platform.js';

const UNIT = 64 * 1024;

/** What is no number of anything, and what is none of an address, a count or a size. */
const NO_NUMBERS: readonly unknown[] = [
  undefined,
  null,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -1,
  0.5,
  2 ** 53,
  '4096',
  4096n,
  Symbol('4096'),
  [4096],
  {},
  Object.create(null),
  () => 4096,
  true,
];
const NO_OBJECTS: readonly unknown[] = [null, 7, 'object', Symbol('object'), 1n, [], () => 7];

const port: AcceptPort = {
  parkUnaccepted: () => undefined,
  takeUnaccepted: () => undefined,
  takeUnacceptedAt: () => false,
  freeAccepted: () => false,
  unacceptedPages: () => 0,
  acceptState: () => ({ promo: 0, acceptedFree: 0, unusable: 0 }),
};

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'no error';
  } catch (error) {
    const { code } = error as { readonly code?: string };
    return code ?? String(error);
  }
}

const backend = checkingPlatform(16 * 16, UNIT);
const create = (options: object): unknown =>
  UnacceptedMemory.create({
    ranges: [{ start: 0, end: 16 * UNIT }],
    unitSize: UNIT,
    backend,
    ...options,
  });
const memory = create({}) as UnacceptedMemory;
const acceptor = ZoneAcceptor.create({ memory, port });
const zone = (options: object): unknown => ZoneAcceptor.create({ memory, port, ...options });
const withBackend = (part: object): unknown => create({ backend: { ...backend, ...part } });

/** The calls, by what is bad in them. */
const NUMBERS: Readonly<Record<string, (bad: never) => unknown>> = {
  'acceptMemory start': (bad) => memory.acceptMemory(bad, 4096),
  'acceptMemory size': (bad) => memory.acceptMemory(0, bad),
  'acceptExactly start': (bad) => memory.acceptExactly(bad, 4096),
  'acceptUnits start': (bad) => memory.acceptUnits({ start: bad, end: 1 }),
  'acceptUnits end': (bad) => memory.acceptUnits({ start: 0, end: bad }),
  'advance start': (bad) => memory.advance(bad, UNIT, 1),
  'advance size': (bad) => memory.advance(0, bad, 1),
  'advance bytes': (bad) => memory.advance(0, UNIT, bad),
  'containsUnaccepted start': (bad) => memory.containsUnaccepted(bad, 1),
  'containsUnaccepted size': (bad) => memory.containsUnaccepted(0, bad),
  'containsShared start': (bad) => memory.containsShared(bad, 1),
  'containsShared size': (bad) => memory.containsShared(0, bad),
  'firstUnaccepted start': (bad) => memory.firstUnaccepted(bad, 1),
  unitState: (bad) => memory.unitState(bad),
  'stateRuns start': (bad) => memory.stateRuns({ start: bad, end: UNIT }),
  'stateRuns end': (bad) => memory.stateRuns({ start: 0, end: bad }),
  'convert start': (bad) => {
    memory.convert(bad, UNIT, 'shared');
  },
  'convert end': (bad) => {
    memory.convert(0, bad, 'shared');
  },
  reclaim: (bad) => memory.reclaim([bad]),
  isAlive: (bad) => memory.isAlive(bad),
  'range start': (bad) => create({ ranges: [{ start: bad, end: UNIT }] }),
  'range end': (bad) => create({ ranges: [{ start: 0, end: bad }] }),
  'buildTable range': (bad) => buildTable([{ start: bad, end: UNIT }]),
  'zone convert': (bad) => {
    acceptor.convert(bad, UNIT, 'shared');
  },
  'zone reclaim': (bad) => acceptor.reclaim([bad]),
  'prefault physBase': (bad) =>
    createPrefaultBackend({
      arena: new SharedArrayBuffer(UNIT),
      physBase: (bad as unknown) === undefined ? -1 : bad,
    }),
  rate: (bad) => {
    Pacer.create().setRate(bad);
  },
};
/** The same where leaving out means a default. */
const OPTIONS: Readonly<Record<string, (bad: never) => unknown>> = {
  unitSize: (bad) => create({ unitSize: bad }),
  participants: (bad) => create({ participants: bad }),
  waitLimitMs: (bad) => create({ waitLimitMs: bad }),
  maxOrder: (bad) => zone({ maxOrder: bad }),
  pageShift: (bad) => zone({ pageShift: bad }),
  'participant of attach': (bad) =>
    UnacceptedMemory.attach(memory.toHandle(), { backend, participant: bad }),
  stepBytes: (bad) => Pacer.create({ stepBytes: bad }),
  'TDX hostPageSize': (bad) => createTdxModel({ hostPageSize: bad }),
  'TDX callCycles': (bad) => createTdxModel({ callCycles: bad }),
  'SNP exitCycles': (bad) => createSnpModel({ exitCycles: bad }),
  'prefault granularity': (bad) =>
    createPrefaultBackend({ arena: new SharedArrayBuffer(UNIT), granularity: bad }),
};
const OBJECTS: Readonly<Record<string, (bad: never) => unknown>> = {
  'create options': (bad) => UnacceptedMemory.create(bad),
  'create backend': (bad) => create({ backend: bad }),
  'create range': (bad) => create({ ranges: [bad] }),
  'attach handle': (bad) => UnacceptedMemory.attach(bad),
  'attach options': (bad) => UnacceptedMemory.attach(memory.toHandle(), bad),
  'attach backend': (bad) =>
    UnacceptedMemory.attach(memory.toHandle(), {
      backend: (bad as unknown) === null ? (7 as never) : bad,
    }),
  acceptUnits: (bad) => memory.acceptUnits(bad),
  stateRuns: (bad) => memory.stateRuns(bad),
  holder: (bad) => {
    memory.convert(0, UNIT, 'shared', bad);
  },
  'zone options': (bad) => ZoneAcceptor.create(bad),
  'zone memory': (bad) => zone({ memory: bad }),
  'zone port': (bad) => zone({ port: bad }),
  'zone attach handle': (bad) => ZoneAcceptor.attach(bad, { memory, port }),
  'zone attach thread': (bad) => ZoneAcceptor.attach(acceptor.toHandle(), bad),
  'table options': (bad) => buildTable([], bad),
  readHeader: (bad) => readHeader(bad),
  openBackend: (bad) => openBackend(bad),
  'prefault options': (bad) => createPrefaultBackend(bad),
};

const ALLOWED = ['ERR_ACCEPT_ARGUMENT', 'ERR_ACCEPT_HANDLE', 'ERR_ACCEPT_TABLE'];

test.each([
  ['numbers', NUMBERS, NO_NUMBERS],
  ['options', OPTIONS, NO_NUMBERS.filter((bad) => bad !== undefined && bad !== null)],
  ['objects', OBJECTS, NO_OBJECTS],
] as const)('bad %s are refused with a code', (_kind, calls, values) => {
  const before = JSON.stringify(memory.stateRuns());
  const wrong: string[] = [];
  for (const [name, call] of Object.entries(calls)) {
    for (const bad of values) {
      const code = codeOf(() => call(bad as never));
      if (!ALLOWED.includes(code)) wrong.push(`${name} ${typeof bad} ${code}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(JSON.stringify(memory.stateRuns())).toBe(before);
  expect(backend.calls).toEqual([]);
  expect(memory.acceptingRanges()).toEqual([]);
});

test('names that are none, and backends that are none', () => {
  for (const act of [
    () => create({ walk: 'straight' }),
    () => create({ guard: 1 }),
    () => create({ remark: 'no' }),
    () => create({ release: 7 }),
    () => create({ ranges: 'all' }),
    () => create({ ranges: { 0: 1 } }),
    () => zone({ mode: 'later' }),
    () => zone({ zeroMarks: 'never' }),
    () => zone({ highOrderRule: 'yes' }),
    () => zone({ burst: -1 }),
    () => zone({ burst: Number.NaN }),
    () => zone({ port: { ...port, freeAccepted: undefined } }),
    () => {
      memory.convert(0, UNIT, 'public' as never);
    },
    () => {
      memory.convert(0, UNIT, 'shared', { hold: () => undefined } as never);
    },
    () => memory.reclaim(1 as never),
    () => memory.reclaim([], 7 as never),
    () => withBackend({ granularity: 0 }),
    () => withBackend({ granularity: -4096 }),
    () => withBackend({ granularity: Number.NaN }),
    () => withBackend({ maxRun: 0 }),
    () => withBackend({ maxRun: '1' }),
    () => withBackend({ repeatable: true }),
    () => withBackend({ repeatable: undefined }),
    () => withBackend({ accept: undefined }),
    () => withBackend({ toHandle: 7 }),
    () => withBackend({ convert: 7 }),
  ]) {
    expect([act.toString(), codeOf(act)]).toEqual([act.toString(), 'ERR_ACCEPT_ARGUMENT']);
  }
  expect(codeOf(() => create({ installed: [1, 2] }))).toBe('ERR_ACCEPT_TABLE');
});

test('a backend that returns before it is finished counts as failed', async () => {
  const late = { accept: async () => Promise.reject(new Error('later')) };
  const eager = create({
    ranges: [{ start: 0, end: 16 * UNIT }],
    backend: { ...backend, ...late },
  });
  expect(codeOf(() => (eager as UnacceptedMemory).acceptMemory(0, 4096))).toBe('ERR_ACCEPT_FAILED');
  expect((eager as UnacceptedMemory).unitState(0)).toBe('interrupted');
  // While the memory map's edges are accepted, too.
  expect(
    codeOf(() => create({ ranges: [{ start: 0, end: 4096 }], backend: { ...backend, ...late } })),
  ).toBe('ERR_ACCEPT_FAILED');
  const own = create({
    backend: { ...backend, accept: () => undefined, convert: () => Promise.resolve() },
  });
  (own as UnacceptedMemory).acceptExactly(0, UNIT);
  expect(
    codeOf(() => {
      (own as UnacceptedMemory).convert(0, UNIT, 'shared');
    }),
  ).toBe('ERR_ACCEPT_FAILED');
  await Promise.resolve();
});

test('ranges up to 4 PiB anywhere below 2^53, units from 4 KiB to 2 GiB', () => {
  const quiet: AcceptBackend = { ...backend, accept: () => undefined };
  const top = 2 ** 53 - 2 ** 31;
  for (const unitSize of [4096, 8192, UNIT, 2 ** 21, 2 ** 31]) {
    const start = Math.floor((top - 8 * unitSize) / unitSize) * unitSize - 8 * unitSize;
    const high = UnacceptedMemory.create({
      ranges: [{ start, end: start + 8 * unitSize }],
      unitSize,
      backend: quiet,
    });
    high.acceptMemory(start + unitSize, unitSize);
    expect(high.unacceptedBytes()).toBe(6 * unitSize);
    high.convert(start + unitSize, start + 3 * unitSize, 'shared');
    expect(high.containsShared(start, unitSize)).toBe(false);
    expect(high.containsShared(start, 2 * unitSize)).toBe(true);
    const next = UnacceptedMemory.create({
      ranges: [{ start, end: start + 8 * unitSize }],
      installed: high.handOver().table,
      backend: quiet,
    });
    expect(next.unacceptedBytes()).toBe(8 * unitSize);
  }
  const whole = UnacceptedMemory.create({
    ranges: [
      { start: 2 ** 52, end: 2 ** 52 + 2 ** 32 },
      { start: 2 ** 52 + 2 ** 51 - 2 ** 32, end: 2 ** 52 + 2 ** 51 },
    ],
    unitSize: 2 ** 31,
    backend: quiet,
  });
  whole.acceptMemory(2 ** 52 + 2 ** 51 - 4096, 4096);
  expect(whole.unacceptedBytes()).toBe(2 ** 33 - 2 ** 31);
  expect(
    codeOf(() => create({ ranges: [{ start: 0, end: 2 ** 52 + 2 ** 32 }], unitSize: 2 ** 31 })),
  ).toBe('ERR_ACCEPT_TABLE');
  expect(codeOf(() => whole.acceptMemory(2 ** 53 - 1, 2))).toBe('ERR_ACCEPT_ARGUMENT');
});

test('everything that a closed object is asked for is refused', () => {
  const closed = create({}) as UnacceptedMemory;
  closed.close();
  closed.close();
  for (const act of [
    () => closed.participant,
    () => closed.acceptMemory(0, 1),
    () => closed.acceptExactly(0, 1),
    () => closed.acceptUnits({ start: 0, end: 0 }),
    () => closed.advance(0, 1, 1),
    () => closed.containsUnaccepted(0, 1),
    () => closed.containsShared(0, 1),
    () => {
      closed.convert(0, UNIT, 'shared');
    },
    () => closed.unacceptedBytes(),
    () => closed.firstUnaccepted(0, 1),
    () => closed.unitState(0),
    () => closed.stateRuns(),
    () => closed.acceptingRanges(),
    () => closed.exportTable(),
    () => closed.handOver(),
    () => closed.reserveParticipant(),
    () => closed.reclaim([]),
    () => closed.findEnded(),
    () => runArenaHelper(closed, { start: 0, end: UNIT }, Pacer.create()),
  ]) {
    expect([act.toString(), codeOf(act)]).toEqual([act.toString(), 'ERR_ACCEPT_CLOSED']);
  }
});

test('an object that is closed from inside its backend: what was under way ends, nothing begins', () => {
  const calls: number[] = [];
  const closing: UnacceptedMemory = UnacceptedMemory.create({
    ranges: [{ start: 0, end: 16 * UNIT }],
    unitSize: UNIT,
    backend: {
      ...backend,
      maxRun: UNIT,
      accept: (start) => {
        calls.push(start / UNIT);
        closing.close();
      },
    },
  });
  const code = codeOf(() => closing.acceptExactly(0, 2 * UNIT));
  expect(['no error', 'ERR_ACCEPT_CLOSED']).toContain(code);
  expect(codeOf(() => closing.acceptExactly(4 * UNIT, UNIT))).toBe('ERR_ACCEPT_CLOSED');
  const other = UnacceptedMemory.attach(closing.toHandle(), { backend });
  expect(calls.map((unit) => other.unitState(unit * UNIT))).toEqual(calls.map(() => 'accepted'));
  expect(other.acceptingRanges()).toEqual([]);
  expect(meterBackend(backend).name).toBe('checking');
});

test('what is no object, no memory, no zone is refused with a code, wherever it comes in', () => {
  const backend = createTdxModel();
  const memory = UnacceptedMemory.create({ ranges: [{ start: 0, end: 64 * 2 ** 20 }], backend });
  const memmap = Memmap.create({ ranges: [{ startPfn: 0, endPfn: 32768 }] });
  const zone = { nid: 0, zone: 'Normal', startPfn: 0, endPfn: 16384, presentPages: 16384 } as const;
  const acceptor = ZoneAcceptor.create({ memory, port: PageAllocator.create(memmap, [zone]) });
  const pacer = Pacer.create();
  const calls: readonly (readonly [string, (junk: never) => unknown])[] = [
    [
      'convert, start',
      (junk) => {
        acceptor.convert(junk, 2 ** 21, 'shared');
      },
    ],
    [
      'convert, end',
      (junk) => {
        acceptor.convert(0, junk, 'shared');
      },
    ],
    ['meterBackend', (junk) => meterBackend(junk)],
    ['acceptReport', (junk) => acceptReport(junk)],
    [
      'acceptUnitsJob',
      (junk) => {
        acceptUnitsJob(0, 1, junk);
      },
    ],
    ['runArenaHelper, memory', (junk) => runArenaHelper(junk, { start: 0, end: 4096 }, pacer)],
    ['runArenaHelper, range', (junk) => runArenaHelper(memory, junk, pacer)],
    ['inFlightPages', (junk) => acceptor.inFlightPages(junk)],
  ];
  const junk = [undefined, null, NaN, -1, 1.5, 2 ** 53, 'text', [], {}, true] as never[];
  for (const [name, call] of calls) {
    for (const value of junk) {
      const code = codeOf(() => call(value));
      expect({ name, value, code }).toEqual({
        name,
        value,
        code: expect.stringMatching(/^ERR_ACCEPT_(ARGUMENT|HANDLE)$/),
      });
    }
  }
  for (const call of [createTdxModel, createSnpModel, (none: never) => Pacer.create(none)]) {
    expect(codeOf(() => call(null as never))).toBe('ERR_ACCEPT_ARGUMENT');
  }
  expect(memory.unacceptedBytes()).toBe(64 * 2 ** 20);
});
