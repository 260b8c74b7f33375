/** Platform models: call sequences and the figures of the reference that follow from counts. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { UnacceptedMemory } from '@bootmem/unaccepted-memory';
import {
  createNoneBackend,
  createSnpModel,
  createTdxModel,
  meterBackend,
  openBackend,
} from '@bootmem/unaccepted-memory/platform';
import type { AcceptError } from '@bootmem/unaccepted-memory';
import type { TdxCall, TdxModelOptions } from '@bootmem/unaccepted-memory/platform';

const K = 1024;
const M = K * K;
const G = K * M;

function tdx(options: TdxModelOptions = {}): {
  model: ReturnType<typeof createTdxModel>;
  calls: TdxCall[];
} {
  const calls: TdxCall[] = [];
  return { calls, model: createTdxModel({ ...options, onCall: (call) => calls.push(call) }) };
}

test('TDX: a 4 MiB block costs 2 calls on hosts of 2 MiB pages and 1024 on hosts of 4 KiB pages', () => {
  expect(createTdxModel().cost(0, 4 * M)).toEqual({ calls: 2, cycles: 2000 });
  expect(createTdxModel({ hostPageSize: 4 * K }).cost(0, 4 * M).calls).toBe(1024);
});

test('TDX: 512 calls of 1000 cycles are about 500 000 cycles for a 2 MiB unit', () => {
  const model = createTdxModel({ hostPageSize: 4 * K, refusedCycles: 0 });
  expect(model.cost(0, 2 * M)).toEqual({ calls: 512, cycles: 512_000 });
});

test('TDX: with one MapGPA an accept, 2 calls for 2 MiB and 3 for 4 MiB', () => {
  const model = createTdxModel({ mapGpa: true });
  expect(model.cost(0, 2 * M).calls).toBe(2);
  expect(model.cost(0, 4 * M).calls).toBe(3);
});

test('TDX: the largest level that is aligned and fits is tried first', () => {
  const { model, calls } = tdx({ hostPageSize: G });
  model.accept(G - 4 * M, 2 * G + 2 * M + 8 * K);
  expect(calls).toEqual([
    { argument: G - 4 * M + 1, count: 1, ok: true },
    { argument: G - 2 * M + 1, count: 1, ok: true },
    { argument: G + 2, count: 1, ok: true },
    { argument: 2 * G + 1, count: 1, ok: true },
    { argument: 2 * G + 2 * M, count: 2, ok: true },
  ]);
  expect(model.stats()).toEqual({
    accept1G: 1,
    accept2M: 3,
    accept4K: 2,
    refused: 0,
    mapGpa: 0,
    cycles: 6000,
    bytes: G + 6 * M + 8 * K,
  });
});

test('TDX: a level that the host maps smaller falls to the next', () => {
  const { model, calls } = tdx({ hostPageSize: 4 * K });
  model.accept(G, 2 * G);
  expect(calls.slice(0, 4)).toEqual([
    { argument: G + 2, count: 1, ok: false },
    { argument: G + 1, count: 1, ok: false },
    { argument: G, count: 512, ok: true },
    { argument: G + 2 * M + 1, count: 1, ok: false },
  ]);
  expect(model.stats()).toMatchObject({ accept4K: 512 * 512, refused: 1 + 512 });
});

test('TDX: one small range on a host of large pages', () => {
  const model = createTdxModel({ hostSmall: [{ start: 2 * M + 4 * K, end: 2 * M + 8 * K }] });
  expect(model.cost(0, 6 * M).calls).toBe(2 + 512);
});

test('TDX: an unaligned head runs up to the next 2 MiB', () => {
  const { model, calls } = tdx();
  model.accept(2 * M - 8 * K, 4 * M + 4 * K);
  expect(calls).toEqual([
    { argument: 2 * M - 8 * K, count: 2, ok: true },
    { argument: 2 * M + 1, count: 1, ok: true },
    { argument: 4 * M, count: 1, ok: true },
  ]);
});

test('TDX: a refused 4 KiB page ends the accept, and what went before it is counted', () => {
  const { model, calls } = tdx({ refuse: [{ start: 2 * M + 12 * K, end: 2 * M + 16 * K }] });
  expect(() => {
    model.accept(0, 8 * M);
  }).toThrow('TDX: Failed to accept memory');
  expect(calls).toEqual([
    { argument: 1, count: 1, ok: true },
    { argument: 2 * M + 1, count: 1, ok: false },
    { argument: 2 * M, count: 3, ok: true },
    { argument: 2 * M + 12 * K, count: 1, ok: false },
  ]);
  expect(model.stats().bytes).toBe(2 * M + 12 * K);
});

test('TDX: 16 TiB in 4 KiB pages are 2^32 calls', () => {
  const { calls } = createTdxModel({ hostPageSize: 4 * K, refusedCycles: 0 }).cost(0, 2 ** 44);
  expect(calls).toBe(2 ** 32);
});

test('SNP: entries of 2 MiB in batches of 64 an exit', () => {
  const model = createSnpModel({ exitCycles: 100, pvalidateCycles: 10 });
  model.accept(0, 130 * 2 * M);
  expect(model.stats()).toEqual({
    exits: 3,
    entries: 130,
    pvalidates: 130,
    mismatches: 0,
    pages: 130 * 512,
    cycles: 3 * 100 + 130 * 10,
  });
});

test('SNP: unaligned ends go in 4 KiB entries', () => {
  const model = createSnpModel();
  model.accept(2 * M - 8 * K, 6 * M + 12 * K);
  expect(model.stats()).toMatchObject({ entries: 2 + 2 + 3, exits: 1, pages: 1024 + 5 });
  model.accept(8 * K, 16 * K);
  expect(model.stats()).toMatchObject({ entries: 7 + 2, pages: 1024 + 5 + 2 });
});

test('SNP: a 2 MiB entry that meets small pages is validated again in 4 KiB', () => {
  const small = createSnpModel({ hostPageSize: 4 * K });
  small.accept(0, 4 * M);
  expect(small.stats()).toMatchObject({ entries: 2, mismatches: 2, pvalidates: 2 + 1024 });
  const mixed = createSnpModel({ hostSmall: [{ start: 3 * M, end: 4 * M }] });
  expect(mixed.cost(0, 8 * M).calls).toBe(1 + 4 + 512);
});

test('SNP: page counts of 2^32 and more do not become 0', () => {
  const model = createSnpModel();
  model.accept(0, 2 ** 44);
  expect(model.stats()).toMatchObject({ pages: 2 ** 32, entries: 2 ** 23, exits: 2 ** 17 });
});

test('SNP: a refused range throws and counts nothing', () => {
  const model = createSnpModel({ refuse: [{ start: 4 * M, end: 5 * M }] });
  expect(() => {
    model.accept(0, 8 * M);
  }).toThrow('SNP: memory not validated');
  expect(model.stats().entries).toBe(0);
});

test('zeroing is priced by the byte', () => {
  expect(createTdxModel({ zeroCyclesPerByte: 0.25 }).cost(0, 4 * M).cycles).toBe(2000 + M);
  expect(createSnpModel({ zeroCyclesPerByte: 0.25 }).cost(0, 2 * M).cycles).toBe(6000 + M / 2);
});

test('a model that really takes its time keeps the CPU for that long', () => {
  const model = createTdxModel({ callCycles: 2_000_000, realTimeGHz: 2 });
  const begin = performance.now();
  model.accept(0, 4 * M);
  expect(performance.now() - begin).toBeGreaterThanOrEqual(2);
});

test('threads add to the same counters', () => {
  for (const model of [createTdxModel({ onCall: () => undefined }), createSnpModel()]) {
    const other = openBackend(structuredClone(model.toHandle()));
    // structuredClone inside one thread shares the buffer, as postMessage does.
    model.accept(0, 2 * M);
    other.accept(2 * M, 4 * M);
    expect(model.stats().cycles).toBe(model.cost(0, 2 * M).cycles * 2);
  }
});

test('an unknown backend and wrong settings are refused', () => {
  const codes: string[] = [];
  for (const run of [
    () => openBackend({ kind: 'punch cards' }),
    () => createTdxModel({ hostPageSize: 100 }),
    () => createTdxModel({ callCycles: -1 }),
    () => createSnpModel({ hostPageSize: 2 ** 40 }),
    () => createSnpModel({ exitCycles: 0.5 }),
  ]) {
    try {
      run();
    } catch (error) {
      codes.push((error as AcceptError).code);
    }
  }
  expect(codes).toEqual(['ERR_ACCEPT_HANDLE', ...new Array<string>(4).fill('ERR_ACCEPT_ARGUMENT')]);
});

test('the meter adds up calls, bytes, cycles and what happened under a lock', () => {
  let locked = false;
  const meter = meterBackend(createTdxModel(), { underLock: () => locked });
  const memory = UnacceptedMemory.create({ ranges: [{ start: 0, end: 16 * M }], backend: meter });
  memory.acceptMemory(0, 4 * M);
  expect(meter.stats()).toMatchObject({ calls: 1, bytes: 6 * M, cycles: 3000, lockedCalls: 0 });
  locked = true;
  memory.acceptMemory(4 * M, 4 * M);
  expect(meter.stats()).toMatchObject({
    calls: 2,
    cycles: 5000,
    lockedCalls: 1,
    lockedCycles: 2000,
  });
  expect(meter.stats().lockedNanoseconds).toBeLessThanOrEqual(meter.stats().nanoseconds);
  const second = meterBackend(createNoneBackend(), { counters: meter.counters });
  second.accept(0, 4096);
  expect(meter.stats()).toMatchObject({ calls: 3, cycles: 5000 });
  expect(second.toHandle()).toEqual({ kind: 'none' });
  expect(openBackend(second.toHandle()).name).toBe('none');
});

test('the README says what the models count', () => {
  const models = {
    'TDX, host maps 2 MiB': createTdxModel(),
    'TDX, host maps 4 KiB': createTdxModel({ hostPageSize: 4 * K }),
    'TDX with MapGPA (2021), 2 MiB': createTdxModel({ mapGpa: true }),
    'SNP, host maps 2 MiB': createSnpModel(),
    'SNP, host maps 4 KiB': createSnpModel({ hostPageSize: 4 * K }),
  };
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const rows = readme
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, name]) => name !== undefined && Object.hasOwn(models, name))
    .map(([, name, ...cells]) => [
      name,
      ...cells.slice(0, 3).map((c) => Number(c.replaceAll(' ', ''))),
    ]);
  expect(rows).toEqual(
    Object.entries(models).map(([name, model]) => {
      const { calls, cycles } = model.cost(0, 4 * M);
      return [name, calls, cycles, model.cost(0, 2 * M).cycles];
    }),
  );
});
