// What job modules call from `@bootmem/padata/worker`: mistakes are coded errors, and change nothing.
import { expect, test } from '@jest/globals';
import { completeDeferred, provideModule, transfer } from '../dist/worker.js';
import { loadedFunction } from '../dist/modules/job-modules.js';
import { transferListOf } from '../dist/values/transfer.js';

const handle = {
  control: new Int32Array(new SharedArrayBuffer(64)),
  buffer: new SharedArrayBuffer(64),
  ...{ window: 4, arenaBytes: 0, parts: [], seq: 0, sequence: 0 },
};

type Call = (...args: readonly unknown[]) => unknown;
test.each([
  ['transfer', transfer as Call, [1, []], 'value'],
  ['transfer', transfer as Call, [null, []], 'value'],
  ['transfer', transfer as Call, [{}, 5], 'list'],
  ['transfer', transfer as Call, [{}, undefined], 'list'],
  ['completeDeferred', completeDeferred as Call, [undefined, 1], 'job'],
  ['completeDeferred', completeDeferred as Call, [null, 1], 'job'],
  ['completeDeferred', completeDeferred as Call, [{}, 1], 'job'],
  ['completeDeferred', completeDeferred as Call, [7, 1], 'job'],
  ...Object.keys(handle)
    .filter((name) => name !== 'seq')
    .map((name) => {
      const args = [{ ...handle, [name]: undefined }, 1];
      return ['completeDeferred', completeDeferred as Call, args, 'job'] as const;
    }),
  ['completeDeferred', completeDeferred as Call, [{ ...handle, window: 1.5 }, 1], 'job'],
  ['completeDeferred', completeDeferred as Call, [{ ...handle, control: [1, 2] }, 1], 'job'],
  ['provideModule', provideModule as Call, [5, {}], 'href'],
  ['provideModule', provideModule as Call, ['entry:odd', 5], 'namespace'],
  ['provideModule', provideModule as Call, ['entry:odd', null], 'namespace'],
] as const)('%s(…) with a mistake is ERR_PADATA_ARGUMENT', (_what, call, args, name) => {
  expect(() => call(...args)).toThrow(
    expect.objectContaining({
      code: 'ERR_PADATA_ARGUMENT',
      details: expect.objectContaining({ name }),
    }),
  );
  expect(loadedFunction('entry:odd', 'any')).toBeUndefined();
});

test('what is right is taken', () => {
  const buffer = new ArrayBuffer(8);
  const value = { buffer };
  expect(transfer(value, [buffer])).toBe(value);
  expect(transferListOf(value)).toEqual([buffer]);
  const twice = (n: number): number => 2 * n;
  provideModule('entry:jobs', { twice });
  expect(loadedFunction('entry:jobs', 'twice')).toBe(twice);
});
