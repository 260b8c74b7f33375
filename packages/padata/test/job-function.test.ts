// What a thread calls for each job.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { jobFunction } from '../dist/slot/job-function.js';

const increment = (value: unknown): unknown => (value as number) + 1;
const bomb = (): never => {
  throw new Error('call');
};

test.each([
  ['inherits its `call`', increment],
  ['has a `call` of its own', Object.assign(increment.bind(undefined), { call: bomb })],
  ['has no `call`', Object.setPrototypeOf(increment.bind(undefined), null) as typeof increment],
  ['throws when its `call` is read', new Proxy(increment, { get: bomb })],
  ['is asynchronous', async (value: unknown) => increment(await value)],
])('a function that %s is called with what it is given', async (_what, fn) => {
  expect(await jobFunction(fn, 0).call(undefined, 41, {})).toBe(42);
});

test("V8 compiles a job's function alone, not into the loop of its thread", async () => {
  const program = new URL('fixtures/programs/one-function.mjs', import.meta.url);
  const flags = ['--trace-turbo-inlining', program.pathname];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { maxBuffer: 2 ** 28 });
  // It says what it looks at, so this would be one of them.
  expect(stdout).toContain('smallInteger');
  expect(stdout).not.toContain('aFunctionOfItsOwn');
}, 60_000);
