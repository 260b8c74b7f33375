// Machines at and beyond what can be numbered: 2^31 descriptors, 255 zones.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { synthesize } from '@bootmem/firmware-map';
import { Memmap } from '@bootmem/memmap';
import { expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { bootMemory } from '../dist/index.js';
import type { BootReport } from '../dist/index.js';
import { MAX_ZONES, needsOf } from '../dist/plan/limits/needs.js';
import { MAX_DESCRIPTORS } from '../dist/plan/limits/reach.js';
import { planLayout } from '../dist/plan/layout-plan.js';
import { run } from './helpers/run.js';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

/** Standard output of a program that ends with 0 and has nothing on standard error. */
async function program(args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    maxBuffer: 2 ** 26,
  });
  expect(stderr).toBe('');
  return stdout;
}

const needs = (memory: string, nodes = 1): ReturnType<typeof needsOf> =>
  needsOf(planLayout(synthesize({ memory, nodes }), 'latest'));

test('the limits are those of the map of descriptors', () => {
  const size = 32768;
  const options = { ranges: [], maxPfn: 2 * MAX_DESCRIPTORS, populate: 'ondemand' as const };
  expect(() => Memmap.create({ ...options, capacitySections: MAX_DESCRIPTORS / size + 1 })).toThrow(
    expect.objectContaining({ code: 'ERR_MEMMAP_CAPACITY' }),
  );
  const map = Memmap.create({ ranges: [{ startPfn: 0, endPfn: size }] });
  for (let nid = 0; nid < MAX_ZONES; nid++) map.defineZone(nid, 2);
  expect(() => map.defineZone(MAX_ZONES, 2)).toThrow(
    expect.objectContaining({ code: 'ERR_MEMMAP_ZONES' }),
  );
});

test('what a machine needs: descriptors by section, zones with memory, address space over its span', () => {
  // 3 GiB below the hole of 1 GiB, the rest above it.
  expect(needs('8T')).toMatchObject({ descriptors: MAX_DESCRIPTORS, zones: 3, whole: true });
  expect(needs('8193G')).toMatchObject({ whole: false });
  expect(needs('1G')).toMatchObject({ descriptors: 2 ** 18, zones: 2, whole: true });
  expect(needs('1024G', 253).zones).toBe(MAX_ZONES);
});

test('the address space that a boot states is that which it reserves, and it is stated first', async () => {
  const lines: string[] = [];
  const description = synthesize({ memory: '16G', nodes: 2 });
  const machine = await bootMemory(description, {
    threads: 1,
    onProgress: (event) => {
      if (event.kind === 'log') lines.push(event.line);
    },
  });
  const { memmap } = machine;
  const reserved = memmap.overheadBytesPerPage() * memmap.usage().capacitySections * 32768;
  const stated = needsOf(machine.plan).reservedBytes;
  expect(Math.abs(stated - reserved) / reserved).toBeLessThan(0.02);
  const at = lines.findIndex((line) => line.includes('page descriptors: reserves 59.6 MiB'));
  expect(at).toBeGreaterThan(0);
  expect(at).toBeLessThan(lines.findIndex((line) => line.includes('Initmem setup node 0')));
  expect(lines[at]).toContain('touches about 8.40 MiB');
  await machine.close();
});

(process.platform === 'linux' ? test : test.skip).each([
  ['64G', '1', 'deferred', 0.9],
  ['128G', '4', 'deferred', 0.9],
  ['64G', '2', 'eager', 0.9],
  ['64G', '2', 'on-demand', 0],
] as const)(
  'what a boot of %s on %s nodes, %s, touches is what it states: /proc/self/smaps',
  async (memory, nodes, mode, least) => {
    const file = fileURLToPath(new URL('./helpers/touched.mjs', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [file, memory, nodes, mode]);
    const { touched, touchedBytes } = JSON.parse(stdout) as Record<string, number>;
    expect(touched! / touchedBytes!).toBeGreaterThan(least);
    expect(touched! / touchedBytes!).toBeLessThan(mode === 'on-demand' ? 0.2 : 1.02);
  },
);

test('12 TiB: up to the first allocation for real, the rest predicted; allocations go on as far as descriptors do', async () => {
  const { report, different } = JSON.parse(await program(['test/helpers/twelve-tib.mjs'])) as {
    report: BootReport;
    different: number;
  };
  expect(report.predicted).toMatchObject({ reason: 'more than 2147483648 page descriptors' });
  const { pages, ms, pagesPerSecond, sampledPages } = report.predicted!;
  expect(sampledPages).toBe(128 * 32768);
  expect(report.timing.initialisedPages + pages).toBe(12 * 2 ** 28);
  expect(ms).toBeCloseTo((1000 * pages) / pagesPerSecond, 3);
  expect(report.zones.map(({ name }) => name)).toEqual(['DMA', 'DMA32', 'Normal', 'Normal']);
  expect(report.zones[2]!.presentPages).toBeGreaterThan(2 ** 30);
  expect(report.log.some((line) => line.includes('3221225472 pages are more than'))).toBe(true);
  expect(different).toBe(20_000);
  const schema = await readFile(new URL('../schema/boot-1.schema.json', import.meta.url), 'utf8');
  const ajv = new Ajv({ strict: false });
  expect(ajv.validate(JSON.parse(schema) as object, report)).toBe(true);
}, 120_000);

test.each([
  ['eager beyond the descriptors', ['--memory', '12T', '--mode', 'eager'], '3221225472 page desc'],
  ['more zones than can be numbered', ['--memory', '512G', '--nodes', '254'], '256 zones with mem'],
  [
    'more early pages than descriptors',
    ['--memory', '1024T'],
    'to its first allocation the boot needs',
  ],
])('%s: exit code 2 before any output, with what it would need', async (_name, args, why) => {
  const { code, out, err } = await run(['boot', '--threads', '1', ...args]);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(why);
});

test('boot --memory 12T shows the prediction, and does not allocate a quarter of it on demand', async () => {
  const out = await program([CLI, 'boot', '--memory', '12T', '--mode', 'on-demand']);
  expect(out).toMatch(/^predicted +[\d ]+ pages more in \d+ ms by one thread/m);
  expect(out).not.toContain('allocated and freed');
}, 120_000);

test('a dozen nodes are no reason for Node to warn of anything', async () => {
  const args = [CLI, 'boot', '--memory', '24G', '--nodes', '12', '--threads', '2', '--quiet'];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
});
