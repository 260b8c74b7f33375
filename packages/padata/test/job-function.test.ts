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
  const program = new URL('fixtures/programs/one-function.mjs', import.meta.url).pathname;
  const inliningOf = async (rounds: number): Promise<string> => {
    const args = ['--trace-turbo-inlining', program, String(rounds)];
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 28 });
    return stdout;
  };
  // It compiles beside the program: on a machine that is busy with others, that takes longer.
  let stdout = '';
  for (let rounds = 400; rounds <= 25_600 && !stdout.includes('smallInteger'); rounds *= 4) {
    stdout = await inliningOf(rounds);
  }
  // It says what it looks at, so this would be one of them.
  expect(stdout).toContain('smallInteger');
  expect(stdout).not.toContain('aFunctionOfItsOwn');
}, 120_000);
