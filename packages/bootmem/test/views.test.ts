/** Views that kernel people know: numactl's, lsmem's, what lies at an address, phases of the boot. */
import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { FIXTURES, run } from './helpers/run.js';

const BOOT = `${FIXTURES}k61-4n-odd`;

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await run([...args, '--json']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const value = JSON.parse(out) as Record<string, unknown>;
  const url = new URL(`../schema/${args[0]!}-1.schema.json`, import.meta.url);
  const ajv = new Ajv({ strict: false });
  expect([
    ajv.validate(JSON.parse(await readFile(url, 'utf8')) as object, value),
    ajv.errors,
  ]).toEqual([true, null]);
  return value;
}

test('numa: sizes and free memory by node, distances as recorded', async () => {
  const view = await json('numa', BOOT);
  expect(view['free']).toBe('zoneinfo');
  expect(view['distances']).toEqual([
    [10, 20, 20, 20],
    [20, 10, 20, 20],
    [20, 20, 10, 20],
    [20, 20, 20, 10],
  ]);
  const { out } = await run(['numa', BOOT]);
  expect(out).toContain('available: 4 nodes (0-3)\nnode 0 cpus: 0\nnode 0 size: 3332 MB\n');
  expect(out).toContain('node distances:\nnode   0   1   2   3\n  0:  10  20  20  20\n');
});

test('numa of a machine without a distance table says so; free memory is what a boot leaves', async () => {
  const { out } = await run(['numa', '--memory', '4G', '--nodes', '1', '--cpus', '2']);
  expect(out).toMatch(/^available: 1 node \(0\)\nnode 0 cpus: 0 1\n/);
  expect(out).toContain('(as a boot leaves it)');
});

test('lsmem: blocks of one state, node and zone are one range; sums are those of its rows', async () => {
  const view = await json('lsmem', BOOT);
  const ranges = view['ranges'] as { start: number; end: number; firstBlock: number }[];
  expect(ranges.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(view['onlineBytes']);
  expect(ranges[1]).toMatchObject({
    start: 2 ** 27,
    firstBlock: 1,
    lastBlock: 23,
    zones: ['DMA32'],
  });
  const { out } = await run(['lsmem', '-o', 'size,node,zones', BOOT]);
  expect(out.split('\n')[0]).toMatch(/^ +SIZE {2}NODE {2}ZONES$/);
  expect((await run(['lsmem', '-o', 'colour', BOOT])).code).toBe(2);
  const synthetic = await json('lsmem', '--memory', '1G');
  expect(synthetic['offlineBytes']).toBe(0);
});

test('at: an address and its page frame are one place, with entry of the map and owner', async () => {
  const byAddress = await json('at', '0x1000000', BOOT);
  expect(byAddress).toMatchObject({ pfn: 4096, section: 0, nid: 0, zone: 'DMA32' });
  expect(byAddress['reserved']).toMatchObject({ label: 'kernel image', start: 0x1000000 });
  expect({ ...(await json('at', '4096', BOOT)), source: '' }).toEqual({ ...byAddress, source: '' });
  const nowhere = await json('at', '0xd0000000', BOOT);
  expect(nowhere).not.toHaveProperty('nid');
  expect(nowhere).not.toHaveProperty('reserved');
  expect((await run(['at', '0xd0000000', BOOT])).out).toMatch(/node +none: no memory/);
  for (const place of ['12x', '-1', '0x', '1e3'])
    expect((await run(['at', place, BOOT])).code).toBe(2);
});

test('phases: in the order of time, from the log itself', async () => {
  const view = await json('phases', BOOT);
  const phases = view['phases'] as { phase: string; seconds: number }[];
  expect(phases.map(({ seconds }) => seconds)).toEqual(
    phases.map(({ seconds }) => seconds).toSorted((a, b) => a - b),
  );
  expect(phases.at(0)?.phase).toBe('kernel begins');
  expect(phases.map(({ phase }) => phase)).toContain('deferred pages initialised');
  expect((await run(['phases', '--memory', '1G'])).out).toBe('the log has no time stamps\n');
});
