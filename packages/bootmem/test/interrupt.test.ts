// A command ends when it is told to, whatever it is doing; and what is done between two turns of the event loop is bounded.
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loadMachine } from '../dist/index.js';
import { inTurns } from '../dist/input/open-input.js';
import { PIECE_LENGTH } from '../dist/cli/process/messages.js';
import { e820Log } from './helpers/e820-log.js';
import { run } from './helpers/run.js';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const BUSY = new URL('./helpers/busy-command.mjs', import.meta.url).href;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootmem-interrupt-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** The real program, whose command computes for ever; with `stuck` its thread cannot be ended either. */
async function busy(stuck = ''): Promise<{ child: ChildProcess; err: () => string }> {
  const child = spawn(process.execPath, ['--import', BUSY, CLI, 'boot'], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...(stuck === '' ? {} : { STUCK: stuck }) },
  });
  let err = '';
  child.stderr!.on('data', (chunk: Buffer) => (err += chunk.toString()));
  await once(child, 'message');
  return { child, err: () => err };
}

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends a command in the middle of a computation, with %i', async (name, code) => {
  const { child, err } = await busy();
  const exit = once(child, 'close');
  child.kill(name);
  expect(await exit).toEqual([code, null]);
  expect(err()).toBe('interrupted\n');
});

test.each(['SIGINT', 'SIGTERM'] as const)('a second %s waits for nothing', async (name) => {
  const { child } = await busy(name);
  const exit = once(child, 'close');
  child.kill(name);
  expect((await once(child, 'message'))[0]).toBe('heard');
  child.kill(name);
  // By the signal itself, which a shell reports as 130 or 143.
  expect(await exit).toEqual([null, name]);
});

/** Bytes that a source yields between two turns of the event loop, at most. */
async function mostBetweenTurns(source: AsyncIterable<Uint8Array>): Promise<number> {
  let between = 0;
  let most = 0;
  let done = false;
  const turns = (async () => {
    while (!done) {
      between = 0;
      await setImmediate();
    }
  })();
  for await (const chunk of source) {
    between += chunk.byteLength;
    most = Math.max(most, between);
  }
  done = true;
  await turns;
  return most;
}

test('however much lies ready, a reader gets 64 KiB between two turns of the event loop', async () => {
  const big = new Uint8Array(10 * 2 ** 20);
  expect(await mostBetweenTurns(inTurns([big]))).toBe(2 ** 16);
  const small = Array.from({ length: 4096 }, () => new Uint8Array(700));
  expect(await mostBetweenTurns(inTurns(small))).toBeLessThanOrEqual(2 ** 16);
});

test('a signal that is raised while a log is read ends the reading with its reason', async () => {
  const file = join(folder, 'long.log');
  await writeFile(file, e820Log(20_000));
  const abort = new AbortController();
  const reason = new Error('enough');
  const loading = loadMachine(file, { signal: abort.signal });
  setTimeout(() => {
    abort.abort(reason);
  });
  await expect(loading).rejects.toBe(reason);
});

test('the process around a command gets its text in bounded pieces, and passes on all of it', async () => {
  const file = join(folder, 'wide.log');
  await writeFile(file, e820Log(3000));
  const args = ['check', '--json', file];
  const { out } = await run(args);
  expect(out.length).toBeGreaterThan(2 * PIECE_LENGTH);
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...args], {
    maxBuffer: 2 ** 26,
  });
  expect(stdout === out).toBe(true);
});
