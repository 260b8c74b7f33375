// What a command may use: its heap, what a boot touches, how far memory can lie.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { synthesize } from '@bootmem/firmware-map';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bootMemory } from '../dist/index.js';
import { bootLimit, defaultLimit, heapLimit, LEAST_LIMIT, limitIn } from '../dist/cli/budget.js';
import { checkReach } from '../dist/plan/limits/reach.js';
import { e820Log } from './helpers/e820-log.js';
import { run } from './helpers/run.js';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootmem-budget-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function logOf(name: string, ...ranges: readonly string[]): Promise<string> {
  const path = join(folder, name);
  const lines = ['Linux version 6.1.0 (x@y) (gcc) #1 SMP', 'Command line: ro', ...ranges];
  await writeFile(path, lines.map((line) => `[    0.000000] ${line}\n`).join(''));
  return path;
}

async function program(args: readonly string[]): Promise<{ code: number; err: string }> {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, err };
}

test('--limit is found before arguments are parsed, as parsing would take it', () => {
  const limit = 2 ** 30;
  expect(limitIn(['boot', '--limit', '1G'])).toBe(limit);
  expect(limitIn(['boot', '--limit=1G', 'x'])).toBe(limit);
  for (const args of [
    [],
    ['boot'],
    ['--limit'],
    ['--limit', '1X'],
    ['--limit=255M'],
    ['--limits', '1G'],
  ]) {
    expect(limitIn(args)).toBe(defaultLimit());
  }
  expect(defaultLimit()).toBeGreaterThanOrEqual(LEAST_LIMIT);
  expect([heapLimit(limit), bootLimit(limit)]).toEqual([2 ** 28, 2 ** 29]);
  expect(heapLimit(2 ** 40)).toBe(2 ** 32);
});

test('a limit is a size from 256 MiB', async () => {
  for (const bad of ['255M', '0', 'much', '1P']) {
    const { code, err } = await run(['numa', '--limit', bad]);
    expect([bad, code]).toEqual([bad, 2]);
    expect(err).toContain('--limit');
  }
  expect((await program(['boot', '--quiet', '--limit', '256M'])).code).toBe(0);
});

test('an input that the heap does not hold ends with a sentence, not with a crash', async () => {
  const file = join(folder, 'entries.log');
  await writeFile(file, e820Log(131_072));
  const { code, err } = await program(['lsmem', file, '--limit', '256M']);
  expect(err).toBe(
    'bootmem: the input needs more than the 64 MiB that a --limit of 256 MiB leaves for it\n',
  );
  expect(code).toBe(1);
}, 60_000);

test('a boot that would touch more than it may goes to its first allocation; the rest is predicted', async () => {
  const description = synthesize({ memory: '256G' });
  // A quarter of its descriptors fit.
  const limitBytes = 2.1 * 2 ** 24;
  const machine = await bootMemory(description, { threads: 2, limitBytes: Math.ceil(limitBytes) });
  const { predicted, timing, log } = machine.report();
  await machine.close();
  expect(predicted?.reason).toBe(`more than ${2 ** 24} page descriptors`);
  expect(timing.initialisedPages + predicted!.pages).toBe(2 ** 26);
  expect(log.join('\n')).toContain('fit into the memory a boot may touch');
  await expect(
    bootMemory(description, { mode: 'eager', limitBytes: 2 ** 25 }),
  ).rejects.toMatchObject({ code: 'ERR_BOOTMEM_USAGE' });
  await expect(bootMemory(description, { limitBytes: 2 ** 20 })).rejects.toMatchObject({
    message: expect.stringContaining('to its first allocation the boot needs') as unknown,
  });
  for (const bad of [0, -1, 1.5, NaN]) {
    await expect(bootMemory(description, { limitBytes: bad })).rejects.toMatchObject({
      code: 'ERR_BOOTMEM_USAGE',
      details: { limitBytes: bad },
    });
  }
});

test.each(['boot', 'check', 'explain', 'what-if', 'numa', 'lsmem', 'report'])(
  '%s: memory beyond the bits of an address is an error of the input, with its line',
  async (command) => {
    const e820 = 'BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable';
    const far = 'BIOS-e820: [mem 0x0010000000000000-0x001000003fffffff] usable';
    const { code, out, err } = await run([command, await logOf('far.log', e820, far)]);
    expect(code).toBe(2);
    expect(`${out}${err}`).toContain(
      'line 4: memory at [mem 0x10000000000000-0x1000003fffffff] lies beyond the 52 bits of a physical address on x86_64',
    );
    if (command !== 'check') expect(out).toBe('');
  },
);

test('what is no memory may lie where it likes', async () => {
  const e820 = 'BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable';
  const far = 'BIOS-e820: [mem 0x0010000000000000-0x001000003fffffff] reserved';
  expect((await run(['numa', await logOf('reserved.log', e820, far)])).code).toBe(0);
});

test.each(['boot', 'check', 'explain', 'what-if', 'lsmem'])(
  '%s: memory that no boot can bring up is refused with what it would need',
  async (command) => {
    const claim = 'BIOS-e820: [mem 0x0000000000100000-0x000fffffffffffff] usable';
    const { code, out, err } = await run([command, await logOf('4P.log', claim)]);
    expect(code).toBe(2);
    expect(`${out}${err}`).toMatch(
      /needs 17179869180 page descriptors or more, and 2147483648 can/,
    );
  },
);

test('memory may reach as far as descriptors may, and no section further', () => {
  const reach = (pages: number, pagesPerSection: number) => (): void => {
    checkReach([{ startPfn: 0, endPfn: pages }], 4096, pagesPerSection);
  };
  expect(reach(2 ** 37, 2 ** 15)).not.toThrow();
  expect(reach(2 ** 37 + 1, 2 ** 16)).toThrow(
    expect.objectContaining({ code: 'ERR_BOOTMEM_INPUT' }),
  );
  expect(reach(2 ** 34, 2 ** 12)).not.toThrow();
  expect(reach(2 ** 34 + 1, 2 ** 12)).toThrow(/17179869185 pages of memory in 4194305 sections/);
});

test('boots that are measured one after the other hold the memory of one', async () => {
  const helper = fileURLToPath(new URL('./helpers/bench-memory.mjs', import.meta.url));
  const env = { ...process.env, NODE_V8_COVERAGE: '' };
  const { stdout } = await promisify(execFile)(process.execPath, [helper], { env });
  // Some thirty of them touch 100 MiB each; the last threads of one may be there still when the next begins.
  expect(Number(stdout)).toBeLessThan(1000);
});
