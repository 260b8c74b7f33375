import { serialize } from 'node:v8';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PadataError } from '@bootmem/padata';
import { PadataNatsError } from '@bootmem/padata-nats';
import { BatchType, decodeBatch, encodeBatch, itemBytes, splitBySize } from '../dist/wire/batch.js';
import { Names, moduleToken } from '../dist/wire/names.js';
import {
  ItemKind,
  decodeError,
  decodeValue,
  encodeError,
  encodeValue,
} from '../dist/wire/values.js';
import { parsePresence } from '../dist/server/roster.js';
import { parseRunInfo } from '../dist/server/run-info.js';

const items = fc.array(
  fc.record({ kind: fc.integer({ min: 0, max: 255 }), bytes: fc.uint8Array({ maxLength: 40 }) }),
  { maxLength: 20 },
);

describe('batches', () => {
  test('come back as they were', () => {
    fc.assert(
      fc.property(
        items,
        fc.maxSafeNat(),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        (list, first, micros, epoch, again) => {
          const batch = { type: BatchType.RESULTS, first, micros, epoch, again, items: list };
          const back = decodeBatch(encodeBatch(batch), BatchType.RESULTS);
          expect({
            ...back,
            items: back.items.map(({ kind, bytes }) => [kind, [...bytes]]),
          }).toEqual({ ...batch, items: list.map(({ kind, bytes }) => [kind, [...bytes]]) });
        },
      ),
    );
  });

  test('damaged, cut or foreign messages are refused with a code, never otherwise', () => {
    const whole = encodeBatch({
      type: BatchType.JOBS,
      first: 3,
      micros: 0,
      items: [encodeValue('a'), encodeValue(new Uint8Array(9))],
    });
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => decodeBatch(whole.subarray(0, length), BatchType.JOBS)).toThrow(PadataNatsError);
    }
    expect(() => decodeBatch(whole, BatchType.RESULTS)).toThrow('type 1, not 2');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeBatch(bytes, BatchType.JOBS);
        } catch (error) {
          expect((error as PadataNatsError).code).toBe('ERR_PADATA_NATS_WIRE');
        }
      }),
    );
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bent = whole.slice();
        bent[at]! ^= change;
        try {
          decodeBatch(bent, BatchType.JOBS);
        } catch (error) {
          expect((error as PadataNatsError).code).toBe('ERR_PADATA_NATS_WIRE');
        }
      }),
    );
  });

  test('are cut by size, in order, and only an item alone may be too large', () => {
    fc.assert(
      fc.property(items, fc.integer({ min: 30, max: 120 }), (list, most) => {
        const parts = splitBySize(list, most);
        expect(parts.flat()).toEqual(list);
        for (const part of parts) {
          const bytes = part.reduce((sum, item) => sum + itemBytes(item), 24);
          expect(part.length === 1 || bytes <= most).toBe(true);
        }
      }),
    );
  });
});

describe('values', () => {
  test('are cloned; bytes travel as bytes', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    expect(encodeValue(bytes)).toEqual({ kind: ItemKind.BYTES, bytes });
    for (const value of [undefined, null, 7, 'text', { a: [1n, new Date(3)] }, new Map([[1, 2]])]) {
      expect(decodeValue(encodeValue(value))).toEqual(value);
    }
  });

  test('that cannot leave the process are refused', () => {
    for (const value of [() => 1, new SharedArrayBuffer(8), { inside: Symbol('x') }]) {
      expect(() => encodeValue(value)).toThrow(
        expect.objectContaining({ code: 'ERR_PADATA_CLONE' }),
      );
    }
    expect(() => decodeValue({ kind: 99, bytes: new Uint8Array(0) })).toThrow('kind 99');
    expect(() => decodeValue({ kind: ItemKind.CLONE, bytes: Uint8Array.of(9, 9) })).toThrow(
      'damaged',
    );
  });

  test('errors keep class, code, details and cause', () => {
    const cause = new RangeError('deep');
    const ours = decodeError(
      encodeError(new PadataNatsError('ERR_PADATA_NATS_POISON', 'bad', { seq: 3 }, { cause })),
    ) as PadataNatsError;
    expect(ours).toBeInstanceOf(PadataNatsError);
    expect(ours).toMatchObject({ code: 'ERR_PADATA_NATS_POISON', details: { seq: 3 } });
    expect(ours.cause).toMatchObject({ name: 'RangeError', message: 'deep' });
    const local = decodeError(encodeError(new PadataError('ERR_PADATA_CLONE', 'no')));
    expect(local).toBeInstanceOf(PadataError);
    expect(decodeError(encodeError(new TypeError('plain')))).toMatchObject({ name: 'TypeError' });
    expect(decodeError(encodeError('just text'))).toBe('just text');
    const damaged = decodeError({ kind: ItemKind.ERROR, bytes: Uint8Array.of(1) });
    expect(damaged).toMatchObject({ code: 'ERR_PADATA_NATS_WIRE' });
  });
});

describe('names', () => {
  test('of prefixes and runs may stand in subjects', () => {
    const names = new Names('build-7');
    expect(names.jobs(moduleToken('jobs'), names.run('a_1'))).toMatch(
      /^build-7\.job\.[0-9a-f]{16}\.a_1$/,
    );
    expect(names.runOf('build-7.job.0123.a_1')).toBe('a_1');
    for (const bad of ['', 'a.b', 'a b', '*', 'x'.repeat(65)]) {
      expect(() => new Names(bad)).toThrow(
        expect.objectContaining({ code: 'ERR_PADATA_NATS_ARGUMENT' }),
      );
      expect(() => names.run(bad)).toThrow('run is 1 to 64');
    }
  });
});

test('whatever is said on the subject of presence, only workers are believed', () => {
  const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const worker = {
    id: 'a',
    host: 'h',
    pid: 1,
    threads: 2,
    modules: ['m'],
    jobs: 0,
    runs: ['r'],
    free: 0,
    leaving: false,
  };
  expect(parsePresence(bytes(worker))).toEqual(worker);
  const odd = { modules: ['m', 3], jobs: 'x', runs: [null, 'r'], free: {} };
  expect(parsePresence(bytes({ ...worker, ...odd }))).toEqual(worker);
  const bad: unknown[] = [{ ...worker, id: 'x'.repeat(5000) }];
  for (const threads of ['two', -1, 0.5, 1e300, null]) bad.push({ ...worker, threads });
  for (const pid of [-1, 1.5, '1']) bad.push({ ...worker, pid });
  expect(parsePresence(bytes({ ...worker, jobs: -1, free: 1e300 }))).toEqual(worker);
  // Of an older version.
  const older = { ...worker, runs: undefined, free: undefined };
  expect(parsePresence(bytes(older))).toEqual({ ...worker, runs: [] });
  for (const other of [null, 3, [], {}, { ...worker, id: 4 }, ...bad]) {
    expect(parsePresence(bytes(other))).toBeUndefined();
  }
  expect(parsePresence(Uint8Array.of(1, 2))).toBeUndefined();
});

describe('descriptions of runs', () => {
  const info = {
    kind: 'series',
    module: 'jobs',
    name: 'double',
    shared: { any: 'thing' },
    key: new Uint8Array(32).fill(5),
    epoch: 3,
    idempotent: true,
    retries: 2,
    slotBytes: undefined,
    inputBytes: undefined,
    graceMs: 100,
  };

  test('come back as they were, without fields that nobody knows', () => {
    expect(parseRunInfo({ ...info, later: 1 })).toEqual(info);
    expect(parseRunInfo({ ...info, kind: 'range', shared: undefined })).toMatchObject({
      kind: 'range',
    });
  });

  test.each([
    ['kind', 'other'],
    ['module', ''],
    ['module', 5],
    ['name', undefined],
    ['name', 'x'.repeat(5000)],
    ['key', undefined],
    ['key', new Uint8Array(31)],
    ['key', 'x'.repeat(32)],
    ['inputBytes', 'borrow'],
    ['epoch', 256],
    ['epoch', -1],
    ['idempotent', 'yes'],
    ['retries', Infinity],
    ['retries', 1001],
    ['retries', 0.5],
    ['slotBytes', -1],
    ['graceMs', NaN],
  ])('%s of %p is refused by name', (field, value) => {
    expect(() => parseRunInfo({ ...info, [field]: value })).toThrow(
      expect.objectContaining({ code: 'ERR_PADATA_NATS_WIRE', details: { field } }),
    );
  });

  test('whatever a stranger stores is a description or an error with a code; prototypes give nothing', () => {
    expect(() => parseRunInfo(Object.create(info))).toThrow(PadataNatsError);
    fc.assert(
      fc.property(fc.anything(), (value) => {
        try {
          parseRunInfo(value);
        } catch (error) {
          expect((error as PadataNatsError).code).toBe('ERR_PADATA_NATS_WIRE');
        }
      }),
    );
  });
});

test('whatever a stranger sends as an error is one with a code', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      let bytes: Uint8Array;
      try {
        bytes = serialize(value);
      } catch {
        return;
      }
      const error = decodeError({ kind: ItemKind.ERROR, bytes });
      expect((error as PadataNatsError).code).toBe('ERR_PADATA_NATS_WIRE');
    }),
  );
  for (const odd of [{ of: 'padata' }, { of: 'other', record: {}, details: {} }, null]) {
    expect(decodeError({ kind: ItemKind.ERROR, bytes: serialize(odd) })).toBeInstanceOf(
      PadataNatsError,
    );
  }
});
