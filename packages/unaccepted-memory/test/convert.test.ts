/** Private and shared, on the state alone: states, errors, the platform's calls, and the next stage. */
import { expect, test } from '@jest/globals';
import {
  UnacceptedMemory,
  acceptReport,
  createPrefaultBackend,
  formatAcceptReport,
} from '@bootmem/unaccepted-memory';
import type { AcceptError, UnacceptedMemoryOptions } from '@bootmem/unaccepted-memory';
import {
  createSnpModel,
  createTdxModel,
  meterBackend,
  openBackend,
} from '@bootmem/unaccepted-memory/platform';
import { Page, checkingPlatform } from './support/checking-platform.js';
import type { CheckingPlatform } from './support/checking-platform.js';

const M = 1024 * 1024;
const UNIT = 2 * M;

function create(
  units: number,
  options: Partial<UnacceptedMemoryOptions> = {},
): { memory: UnacceptedMemory; platform: CheckingPlatform } {
  const platform = checkingPlatform((units * UNIT) / 4096, UNIT);
  const memory = UnacceptedMemory.create({
    ranges: [{ start: 0, end: units * UNIT }],
    backend: platform,
    ...options,
  });
  return { memory, platform };
}

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'no error';
  } catch (error) {
    return (error as AcceptError).code;
  }
}

test('an accepted unit becomes shared and private again, by one platform call each', () => {
  const { memory, platform } = create(8);
  memory.acceptExactly(2 * UNIT, 2 * UNIT);
  memory.convert(2 * UNIT, 4 * UNIT, 'shared');
  expect(memory.stateRuns()).toEqual([
    { start: 0, end: 2 * UNIT, state: 'unaccepted' },
    { start: 2 * UNIT, end: 4 * UNIT, state: 'shared' },
    { start: 4 * UNIT, end: 8 * UNIT, state: 'unaccepted' },
  ]);
  expect(memory.containsShared(0, 2 * UNIT)).toBe(false);
  expect(memory.containsShared(0, 2 * UNIT + 1)).toBe(true);
  memory.convert(3 * UNIT, 4 * UNIT, 'private');
  expect(memory.unitState(2 * UNIT)).toBe('shared');
  expect(memory.unitState(3 * UNIT)).toBe('accepted');
  expect(platform.calls).toEqual(['accept 2-4', 'shared 2-4', 'private 3-4']);
  expect(platform.faults).toEqual([]);
  expect(memory.acceptingRanges()).toEqual([]);
});

test('nothing that accepts touches a shared unit: requests, guards, helpers', () => {
  const { memory, platform } = create(8);
  memory.acceptExactly(UNIT, UNIT);
  memory.convert(UNIT, 2 * UNIT, 'shared');
  platform.calls.length = 0;
  memory.acceptMemory(0, UNIT); // its guard is the shared unit
  expect(memory.containsUnaccepted(0, UNIT)).toBe(false);
  expect(memory.acceptMemory(UNIT, 4096)).toEqual({ cells: 0, calls: 0, waited: 0 });
  expect(memory.advance(UNIT, UNIT, UNIT)).toBe(0);
  expect(memory.firstUnaccepted(0, 4 * UNIT)).toBe(2 * UNIT);
  memory.acceptMemory(0, 8 * UNIT);
  expect(memory.unacceptedBytes()).toBe(0);
  expect(platform.calls).toEqual(['accept 0-1', 'accept 2-8']);
  expect(platform.faults).toEqual([]);
  expect(memory.unitState(UNIT)).toBe('shared');
});

test('only what is accepted becomes shared, and not twice; all or nothing of a range', () => {
  const { memory, platform } = create(8);
  memory.acceptExactly(0, 2 * UNIT);
  expect(
    codeOf(() => {
      memory.convert(0, 3 * UNIT, 'shared');
    }),
  ).toBe('ERR_ACCEPT_STATE');
  memory.convert(0, UNIT, 'shared');
  expect(
    codeOf(() => {
      memory.convert(0, 2 * UNIT, 'shared');
    }),
  ).toBe('ERR_ACCEPT_STATE');
  expect(
    codeOf(() => {
      memory.convert(0, 2 * UNIT, 'private');
    }),
  ).toBe('ERR_ACCEPT_STATE');
  expect(
    codeOf(() => {
      memory.convert(4 * UNIT, 5 * UNIT, 'private');
    }),
  ).toBe('ERR_ACCEPT_STATE');
  expect(memory.unitState(UNIT)).toBe('accepted');
  expect(platform.calls).toEqual(['accept 0-2', 'shared 0-1']);
  // What is private already may be asked for: nothing happens.
  memory.convert(UNIT, 2 * UNIT, 'private');
  expect(platform.calls).toHaveLength(2);
});

test('what is no range of whole units is refused before anything changes', () => {
  const { memory, platform } = create(8);
  memory.acceptExactly(0, 8 * UNIT);
  for (const [start, end] of [
    [0, 0],
    [UNIT, 0],
    [4096, UNIT],
    [0, UNIT - 4096],
    [-UNIT, UNIT],
    [0, 9 * UNIT],
    [0.5, UNIT],
    [0, Number.NaN],
    ['0' as never, UNIT],
  ] as const) {
    expect(
      codeOf(() => {
        memory.convert(start, end, 'shared');
      }),
    ).toBe('ERR_ACCEPT_ARGUMENT');
  }
  expect(
    codeOf(() => {
      memory.convert(0, UNIT, 'unaccepted' as never);
    }),
  ).toBe('ERR_ACCEPT_ARGUMENT');
  expect(platform.calls).toEqual(['accept 0-8']);
  const arena = new SharedArrayBuffer(4 * UNIT);
  const plain = UnacceptedMemory.create({
    ranges: [{ start: 0, end: 4 * UNIT }],
    backend: createPrefaultBackend({ arena }),
  });
  plain.acceptMemory(0, UNIT);
  expect(
    codeOf(() => {
      plain.convert(0, UNIT, 'shared');
    }),
  ).toBe('ERR_ACCEPT_ARGUMENT');
});

// A late repetition would meet shared memory: test/convert.model.test.ts shows it.
test('a backend that is repeatable concurrently does not convert', () => {
  const { memory, platform } = create(4);
  const handle = memory.toHandle();
  const backend = { ...platform, repeatable: 'concurrently' as const };
  const other = UnacceptedMemory.attach(handle, { backend });
  other.acceptExactly(0, UNIT);
  expect(
    codeOf(() => {
      other.convert(0, UNIT, 'shared');
    }),
  ).toBe('ERR_ACCEPT_ARGUMENT');
});

test('a platform that refuses leaves the units in doubt: only by way of shared are they private again', () => {
  for (const to of ['shared', 'private'] as const) {
    const { memory, platform } = create(4);
    memory.acceptExactly(0, 2 * UNIT);
    if (to === 'private') memory.convert(0, 2 * UNIT, 'shared');
    platform.fail = new Error('the host says no');
    let cause: unknown;
    try {
      memory.convert(0, 2 * UNIT, to);
    } catch (error) {
      expect((error as AcceptError).code).toBe('ERR_ACCEPT_FAILED');
      ({ cause } = error as AcceptError);
    }
    expect(cause).toBe(platform.fail);
    platform.fail = undefined;
    expect(memory.unitState(0)).toBe('interrupted');
    expect(memory.containsShared(0, UNIT)).toBe(true);
    expect(
      codeOf(() => {
        memory.convert(0, 2 * UNIT, 'private');
      }),
    ).toBe('ERR_ACCEPT_INTERRUPTED');
    // Neither acceptance nor its guard has anything to do there.
    memory.acceptMemory(0, 2 * UNIT);
    memory.convert(0, 2 * UNIT, 'shared');
    memory.convert(0, 2 * UNIT, 'private');
    expect(memory.unitState(0)).toBe('accepted');
    expect(platform.at(0)).toBe(Page.ACCEPTED);
    expect(platform.faults).toEqual([]);
  }
});

test('a holder that refuses, or throws: nothing changed, not even what was in doubt', () => {
  const { memory, platform } = create(8);
  memory.acceptExactly(0, 4 * UNIT);
  platform.fail = new Error('no');
  expect(
    codeOf(() => {
      memory.convert(UNIT, 2 * UNIT, 'shared');
    }),
  ).toBe('ERR_ACCEPT_FAILED');
  platform.fail = undefined;
  const calls = platform.calls.length;
  const settled: number[][] = [];
  const settle = (start: number, end: number): void => {
    settled.push([start / UNIT, end / UNIT]);
  };
  const refusing = { hold: () => 2 * UNIT, settle };
  expect(
    codeOf(() => {
      memory.convert(0, 4 * UNIT, 'shared', refusing);
    }),
  ).toBe('ERR_ACCEPT_NOT_HELD');
  const throwing = {
    hold: () => {
      throw new Error('its lock was not to be had');
    },
    settle,
  };
  expect(() => {
    memory.convert(0, 4 * UNIT, 'shared', throwing);
  }).toThrow('its lock');
  expect(settled).toEqual([
    [0, 4],
    [0, 4],
  ]);
  expect(platform.calls).toHaveLength(calls);
  expect(memory.stateRuns({ start: 0, end: 4 * UNIT }).map(({ state }) => state)).toEqual([
    'accepted',
    'interrupted',
    'accepted',
  ]);
  const seen: boolean[] = [];
  const holding = {
    hold: () => undefined,
    settle: (start: number, end: number, isShared: (start: number, end: number) => boolean) => {
      seen.push(isShared(start, end), isShared(start, start + 2 * UNIT), isShared(5 * UNIT, end));
    },
  };
  memory.convert(2 * UNIT, 3 * UNIT, 'shared', holding);
  expect(seen).toEqual([true, true, false]);
});

test('a backend that calls back while it converts gets an error, not a deadlock', () => {
  const { memory, platform } = create(4);
  memory.acceptExactly(0, UNIT);
  const codes: string[] = [];
  platform.convert = () => {
    codes.push(codeOf(() => memory.acceptExactly(2 * UNIT, UNIT)));
    codes.push(
      codeOf(() => {
        memory.convert(0, UNIT, 'private');
      }),
    );
    codes.push(codeOf(() => memory.handOver()));
    expect(memory.unitState(0)).toBe('converting');
  };
  memory.convert(0, UNIT, 'shared');
  expect(codes).toEqual(['ERR_ACCEPT_REENTRANT', 'ERR_ACCEPT_REENTRANT', 'ERR_ACCEPT_REENTRANT']);
  expect(memory.unitState(0)).toBe('shared');
});

test('two threads that think they hold a unit: the second is told', () => {
  const { memory, platform } = create(8);
  memory.acceptExactly(0, 4 * UNIT);
  const other = UnacceptedMemory.attach(memory.toHandle(), { backend: platform });
  const plain = platform.convert!.bind(platform);
  const codes: string[] = [];
  platform.convert = (start, end, to) => {
    platform.convert = plain;
    codes.push(
      codeOf(() => {
        other.convert(UNIT, 3 * UNIT, 'shared');
      }),
    );
    codes.push(
      codeOf(() => {
        other.convert(2 * UNIT, 3 * UNIT, 'shared');
      }),
    );
    // Acceptance in the same unit's neighbourhood is another matter.
    codes.push(codeOf(() => other.acceptMemory(0, 8 * UNIT)));
    plain(start, end, to);
  };
  memory.convert(0, 2 * UNIT, 'shared');
  expect(codes).toEqual(['ERR_ACCEPT_NOT_HELD', 'no error', 'no error']);
  expect(platform.faults).toEqual([]);
  expect(memory.stateRuns().map(({ state }) => state)).toEqual(['shared', 'accepted']);
});

test('the report knows shared memory', () => {
  const { memory } = create(4);
  memory.acceptExactly(0, 2 * UNIT);
  memory.convert(UNIT, 2 * UNIT, 'shared');
  const report = acceptReport(memory);
  expect(report.bytes).toEqual({
    // The one byte of bitmap stands for eight units, four of which are not there.
    accepted: 5 * UNIT,
    unaccepted: 2 * UNIT,
    accepting: 0,
    interrupted: 0,
    shared: UNIT,
    converting: 0,
  });
  expect(formatAcceptReport(report)).toContain('0: .SUU....');
});

// What a kernel does before it jumps to the next one.
test('hand-over: the next stage accepts what was not accepted, and what was shared, and nothing twice', () => {
  const ranges = [{ start: 0, end: 16 * UNIT }];
  const { memory, platform } = create(16);
  memory.acceptExactly(0, 6 * UNIT);
  memory.acceptExactly(9 * UNIT, 2 * UNIT);
  memory.convert(2 * UNIT, 4 * UNIT, 'shared');
  memory.convert(3 * UNIT, 4 * UNIT, 'private');
  memory.convert(9 * UNIT, 10 * UNIT, 'shared');
  const { table, inDoubt } = memory.handOver();
  expect(inDoubt).toEqual([]);
  for (const act of [
    () => memory.acceptMemory(0, 16 * UNIT),
    () => memory.advance(0, 16 * UNIT, 1),
    () => {
      memory.convert(0, UNIT, 'shared');
    },
    () => memory.handOver(),
  ]) {
    expect(codeOf(act)).toBe('ERR_ACCEPT_CLOSED');
  }
  platform.calls.length = 0;
  const next = UnacceptedMemory.create({ ranges, installed: table, backend: platform });
  expect(platform.calls).toEqual([]);
  expect(next.unacceptedBytes()).toBe(10 * UNIT);
  next.acceptMemory(0, 16 * UNIT);
  expect(platform.calls).toEqual(['accept 2-3', 'accept 6-10', 'accept 11-16']);
  expect(platform.faults).toEqual([]);
  next.convert(2 * UNIT, 3 * UNIT, 'shared');
});

test('installed and the same ranges: edges and accepted units are not accepted again, unless that is asked for', () => {
  const platform = checkingPlatform((64 * M) / 4096, M);
  const ranges = [
    { start: M, end: 20 * M },
    { start: 33 * M, end: 64 * M },
  ];
  const first = UnacceptedMemory.create({ ranges, backend: platform });
  first.acceptExactly(8 * M, 4 * M);
  const { table } = first.handOver();
  platform.calls.length = 0;
  const second = UnacceptedMemory.create({ ranges, installed: table, backend: platform });
  second.acceptMemory(0, 64 * M);
  expect(platform.calls).toEqual(['accept 2-8', 'accept 12-20', 'accept 34-64']);
  expect(platform.faults).toEqual([]);
  UnacceptedMemory.create({ ranges, installed: table, remark: true, backend: platform });
  expect(platform.calls.slice(3)).toEqual(['accept 1-2', 'accept 33-34']);
  expect(platform.faults).not.toEqual([]);
});

test('hand-over completes units of which pieces are prepared, and names those in doubt', () => {
  const calls: [number, number][] = [];
  let fail = false;
  const backend = {
    name: 'pieces',
    granularity: UNIT / 4,
    maxRun: UNIT / 4,
    repeatable: 'never' as const,
    accept(start: number, end: number) {
      if (fail) throw new Error('no');
      calls.push([start / UNIT, end / UNIT]);
    },
    toHandle: () => ({ kind: 'pieces' }),
  };
  const memory = UnacceptedMemory.create({ ranges: [{ start: 0, end: 8 * UNIT }], backend });
  memory.advance(2 * UNIT, UNIT, 1);
  fail = true;
  expect(codeOf(() => memory.acceptExactly(5 * UNIT, 2 * UNIT))).toBe('ERR_ACCEPT_FAILED');
  fail = false;
  const { table, inDoubt } = memory.handOver();
  expect(calls).toEqual([0, 1, 2, 3].map((piece) => [2 + piece / 4, 2.25 + piece / 4]));
  expect(inDoubt).toEqual([{ start: 5 * UNIT, end: 6 * UNIT }]);
  expect(table.subarray(24)).toEqual(new Uint8Array([0b1111_1011]));
});

test('hand-over while a thread is inside the platform: not before it is out; nothing changed meanwhile', () => {
  const { memory, platform } = create(8, { waitLimitMs: 5 });
  const other = UnacceptedMemory.attach(memory.toHandle(), { backend: platform });
  const plain = platform.accept.bind(platform);
  const codes: string[] = [];
  platform.accept = (start, end) => {
    codes.push(codeOf(() => other.handOver()));
    plain(start, end);
  };
  memory.acceptExactly(0, 2 * UNIT);
  expect(codes).toEqual(['ERR_ACCEPT_TIMEOUT']);
  platform.accept = plain;
  memory.acceptExactly(4 * UNIT, UNIT);
  expect(other.handOver().table.subarray(24)).toEqual(new Uint8Array([0b1110_1100]));
  expect(platform.faults).toEqual([]);
});

test('hand-over of what was left half converted: shared first, then unaccepted', () => {
  const { memory, platform } = create(8);
  memory.acceptExactly(0, 4 * UNIT);
  memory.convert(0, 2 * UNIT, 'shared');
  platform.fail = new Error('no');
  expect(
    codeOf(() => {
      memory.convert(UNIT, 2 * UNIT, 'private');
    }),
  ).toBe('ERR_ACCEPT_FAILED');
  expect(codeOf(() => memory.handOver())).toBe('ERR_ACCEPT_FAILED');
  // It may be tried again; nobody accepts meanwhile.
  expect(codeOf(() => memory.acceptExactly(6 * UNIT, UNIT))).toBe('ERR_ACCEPT_CLOSED');
  platform.fail = undefined;
  platform.calls.length = 0;
  const { table, inDoubt } = memory.handOver();
  expect(platform.calls).toEqual(['unaccepted 0-1', 'shared 1-2', 'unaccepted 1-2']);
  expect(platform.faults).toEqual([]);
  expect(inDoubt).toEqual([]);
  expect(table.subarray(24)).toEqual(new Uint8Array([0b1111_0011]));
});

test('the table as it is shows shared units as unaccepted, wherever they lie', () => {
  const { memory } = create(80);
  memory.acceptExactly(0, 80 * UNIT);
  const shared = [0, 7, 8, 31, 32, 63, 64, 79];
  for (const unit of shared) memory.convert(unit * UNIT, (unit + 1) * UNIT, 'shared');
  const bits = [...memory.exportTable().subarray(24)].flatMap((byte, at) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte >> bit) & 1).map((bit) => at * 8 + bit),
  );
  expect(bits).toEqual(shared);
});

test('TDX: MapGPA for each conversion, and the accept on the way back', () => {
  const model = createTdxModel();
  const memory = UnacceptedMemory.create({ ranges: [{ start: 0, end: 8 * UNIT }], backend: model });
  memory.acceptExactly(0, 2 * UNIT);
  memory.convert(0, 2 * UNIT, 'shared');
  expect(model.stats()).toMatchObject({ mapGpa: 1, accept2M: 2, cycles: 3000 });
  memory.convert(0, 2 * UNIT, 'private');
  expect(model.stats()).toMatchObject({ mapGpa: 2, accept2M: 4, bytes: 4 * UNIT, cycles: 6000 });
  expect(model.cost(0, 2 * UNIT, 'shared')).toEqual({ calls: 1, cycles: 1000 });
  expect(model.cost(0, 2 * UNIT, 'private')).toEqual({ calls: 3, cycles: 3000 });
  expect(model.cost(0, 2 * UNIT, 'unaccepted')).toEqual({ calls: 1, cycles: 1000 });
  expect(createTdxModel({ mapGpa: true }).cost(0, UNIT, 'private')).toEqual({
    calls: 2,
    cycles: 2000,
  });
  const refusing = createTdxModel({ refuse: [{ start: 0, end: 4096 }] });
  expect(() => {
    refusing.convert(0, UNIT, 'shared');
  }).toThrow('MapGPA');
});

test('SNP: validation is taken back on the way to shared, and done on the way back', () => {
  const model = createSnpModel({ exitCycles: 100, pvalidateCycles: 10 });
  model.convert(0, 4 * UNIT, 'shared');
  expect(model.stats()).toMatchObject({
    exits: 1,
    entries: 4,
    pvalidates: 4,
    pages: 0,
    cycles: 140,
  });
  model.convert(0, 4 * UNIT, 'private');
  expect(model.stats()).toMatchObject({ exits: 2, pvalidates: 8, pages: 2048, cycles: 280 });
  model.convert(0, 4 * UNIT, 'unaccepted');
  expect(model.stats()).toMatchObject({ exits: 3, entries: 12, pvalidates: 8, cycles: 380 });
  expect(model.cost(0, UNIT, 'unaccepted')).toEqual({ calls: 1, cycles: 100 });
  const refusing = createSnpModel({ refuse: [{ start: 0, end: 4096 }] });
  expect(() => {
    refusing.convert(0, UNIT, 'shared');
  }).toThrow('SNP');
});

test('a meter counts conversions, and a reopened model converts', () => {
  const inner = createTdxModel();
  const meter = meterBackend(openBackend(inner.toHandle()));
  const memory = UnacceptedMemory.create({ ranges: [{ start: 0, end: 4 * UNIT }], backend: meter });
  memory.acceptExactly(0, UNIT);
  memory.convert(0, UNIT, 'shared');
  expect(meter.stats()).toMatchObject({ calls: 2, bytes: 2 * UNIT, cycles: 2000 });
  expect(inner.stats().mapGpa).toBe(1);
  const arena = createPrefaultBackend({ arena: new SharedArrayBuffer(UNIT) });
  expect('convert' in meterBackend(arena)).toBe(false);
});
