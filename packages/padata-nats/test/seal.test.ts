import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PadataNatsError } from '@bootmem/padata-nats';
import { BatchType, encodeBatch } from '../dist/wire/batch.js';
import type { Batch } from '../dist/wire/batch.js';
import {
  SEAL_BYTES,
  checkSeal,
  newKey,
  openBatch,
  openNamed,
  peekBatch,
  sealBatch,
  sealNamed,
} from '../dist/wire/seal.js';

const keys = fc.uint8Array({ minLength: 32, maxLength: 32 });
const batches: fc.Arbitrary<Batch> = fc.record({
  type: fc.constantFrom(BatchType.JOBS, BatchType.RESULTS),
  first: fc.maxSafeNat(),
  micros: fc.nat(),
  epoch: fc.integer({ min: 0, max: 255 }),
  again: fc.boolean(),
  items: fc.array(fc.record({ kind: fc.nat(255), bytes: fc.uint8Array({ maxLength: 30 }) }), {
    maxLength: 8,
  }),
});
const plain = (batch: Batch): unknown => ({
  ...batch,
  items: batch.items.map(({ kind, bytes }) => [kind, [...bytes]]),
});

/** Opens it as either type; whatever goes wrong has the code. */
function opened(message: Uint8Array, key: Uint8Array): Batch | undefined {
  for (const type of [BatchType.JOBS, BatchType.RESULTS]) {
    try {
      return openBatch(message, type, key);
    } catch (error) {
      expect(error).toBeInstanceOf(PadataNatsError);
      expect((error as PadataNatsError).code).toBe('ERR_PADATA_NATS_WIRE');
    }
  }
  return undefined;
}

test('a sealed batch comes back with its key, and with no other', () => {
  fc.assert(
    fc.property(batches, keys, keys, (batch, key, other) => {
      const message = sealBatch(batch, key);
      expect(message).toHaveLength(encodeBatch(batch).length + SEAL_BYTES);
      expect(plain(openBatch(message, batch.type, key))).toEqual(plain(batch));
      expect(plain(peekBatch(message, batch.type))).toEqual(plain(batch));
      fc.pre(Buffer.compare(key, other) !== 0);
      expect(opened(message, other)).toBeUndefined();
    }),
  );
});

test('a byte that changed anywhere, a byte more or less, and bytes of chance are refused with the code', () => {
  const key = newKey();
  fc.assert(
    fc.property(batches, fc.nat(), fc.integer({ min: 1, max: 255 }), (batch, place, change) => {
      const message = sealBatch(batch, key);
      const bent = message.slice();
      bent[place % bent.length]! ^= change;
      expect(opened(bent, key)).toBeUndefined();
      expect(opened(message.subarray(0, place % message.length), key)).toBeUndefined();
      expect(opened(Buffer.concat([message, Uint8Array.of(change)]), key)).toBeUndefined();
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(opened(bytes, key)).toBeUndefined();
    }),
  );
});

test('messages of other versions are refused, sealed or not', () => {
  const key = newKey();
  fc.assert(
    fc.property(batches, fc.integer({ min: 0, max: 255 }), (batch, version) => {
      fc.pre(version !== 2);
      const old = encodeBatch(batch);
      old[0] = version;
      expect(opened(old, key)).toBeUndefined();
      const sealed = sealBatch(batch, key);
      sealed[0] = version;
      expect(opened(sealed, key)).toBeUndefined();
      expect(() => peekBatch(sealed, batch.type)).toThrow(`version ${version}, not 2`);
    }),
  );
});

test('keys differ from run to run', () => {
  expect(newKey()).toHaveLength(32);
  expect(newKey()).not.toEqual(newKey());
  const message = sealBatch({ type: 1, first: 0, micros: 0, items: [] }, newKey());
  expect(() => {
    checkSeal(message, newKey());
  }).toThrow('does not know');
});

test('what is stored under a name is taken under no other, and not from others', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.uint8Array(), keys, (name, other, bytes, key) => {
      const stored = Buffer.concat([bytes, sealNamed(name, bytes, key)]);
      expect([...openNamed(name, stored, key)!]).toEqual([...bytes]);
      expect(openNamed(name, stored, newKey())).toBeUndefined();
      fc.pre(name !== other);
      expect(openNamed(other, stored, key)).toBeUndefined();
    }),
  );
  expect(openNamed('x', new Uint8Array(3), newKey())).toBeUndefined();
});
