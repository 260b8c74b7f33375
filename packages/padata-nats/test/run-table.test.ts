import { expect, test } from '@jest/globals';
import type { WorkPool } from '@bootmem/padata';
import type { Engine } from '../dist/server/streams.js';
import { BatchType, encodeBatch } from '../dist/wire/batch.js';
import { Names } from '../dist/wire/names.js';
import { newKey } from '../dist/wire/seal.js';
import { encodeValue } from '../dist/wire/values.js';
import { RunTable } from '../dist/worker/run-table.js';

/** A server whose answers the test gives, one look-up after the other. */
function makeTable(): {
  table: RunTable;
  answer: (said: 'description' | 'nothing' | 'error') => void;
} {
  interface Asked {
    readonly resolve: (message: unknown) => void;
    readonly reject: (error: Error) => void;
  }
  const asked: Asked[] = [];
  const getMessage = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      asked.push({ resolve, reject });
    });
  const engine = { names: new Names('test'), jsm: { streams: { getMessage } }, maxPayload: 1e6 };
  const pool = { series: () => ({ close: () => Promise.resolve() }) };
  const info = {
    kind: 'series',
    module: 'jobs',
    name: 'double',
    shared: undefined,
    key: newKey(),
    epoch: 0,
    idempotent: false,
    retries: 0,
  };
  const data = encodeBatch({
    type: BatchType.JOBS,
    first: 0,
    micros: 0,
    items: [encodeValue(info)],
  });
  return {
    table: new RunTable(
      engine as unknown as Engine,
      pool as unknown as WorkPool,
      new Map([['jobs', 'file:///jobs.mjs']]),
    ),
    answer: (said) => {
      const one = asked.shift()!;
      if (said === 'description') one.resolve({ data });
      else one.reject(new Error(said === 'nothing' ? 'no message found' : 'the server is away'));
    },
  };
}

test('a look-up that failed or found nothing is made again for the next message', async () => {
  const { table, answer } = makeTable();
  const failed = table.of('run');
  answer('error');
  await expect(failed).rejects.toThrow('away');
  const empty = table.of('run');
  answer('nothing');
  expect(await empty).toBeUndefined();
  const found = table.of('run');
  answer('description');
  expect(await found).toBeDefined();
  expect(await table.of('run')).toBe(await found);
});

test('a look-up that fails after its run was let go of leaves the next one alone', async () => {
  const { table, answer } = makeTable();
  const first = table.of('run');
  const gone = table.forget('run');
  const second = table.of('run');
  answer('error');
  await expect(first).rejects.toThrow('away');
  await gone;
  answer('description');
  const found = await second;
  expect(found).toBeDefined();
  expect(await table.of('run')).toBe(found);
});
