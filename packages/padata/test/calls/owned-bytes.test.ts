// Bytes in the slot of a job whose outcome goes by message, as it has told something before: they are the program's own.
import { expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { FunctionRef } from '@bootmem/padata';

const module = new URL('../fixtures/bytes-jobs.mjs', import.meta.url);
const fn: FunctionRef<(n: number) => Uint8Array> = { module, name: 'tellsThenOutputs' };

test.each([1, 0])(
  'the bytes of a job that has reported are no view of shared memory: %i threads',
  async (threads) => {
    await using pool = createWorkPool({ threads });
    const series = pool.series({ fn, window: 1 });
    const told: unknown[] = [];
    const first = await series.run(21, { onProgress: (value) => told.push(value) });
    const second = await series.run(22, { onProgress: (value) => told.push(value) });
    expect(first.buffer).not.toBeInstanceOf(SharedArrayBuffer);
    expect([...first]).toEqual(new Array(21).fill(21));
    expect([...second]).toEqual(new Array(22).fill(22));
    expect(told).toEqual([21, 22]);
  },
);
