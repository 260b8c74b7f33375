// What a check, an account and the plan of a boot execute grows as the map does: counted, not timed.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const SCRIPT = fileURLToPath(new URL('./helpers/count-operations.mjs', import.meta.url));

/** Executions of all blocks of code, by work and size. */
async function counted(...args: string[]): Promise<Record<string, Record<string, number>>> {
  const env = { ...process.env, NODE_V8_COVERAGE: '' };
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, ...args], { env });
  const counts = JSON.parse(stdout) as Record<string, Record<string, { all: number }>>;
  return Object.fromEntries(
    Object.entries(counts).map(([work, sizes]) => [
      work,
      Object.fromEntries(Object.entries(sizes).map(([size, { all }]) => [size, all])),
    ]),
  );
}

test('twice as many entries are twice as much work: e820, EFI, iomem, nodes, blocks, holes, faked nodes, bad ranges', async () => {
  const counts = await counted('many', '600', '1200');
  expect(Object.keys(counts)).toHaveLength(10);
  for (const [work, { 600: once, 1200: twice }] of Object.entries(counts)) {
    // A square term that a hundred thousand entries would drown in shows long before.
    expect([work, twice! / once! < 2.15]).toEqual([work, true]);
    expect(once!).toBeGreaterThan(60_000);
  }
});

test('memory that lies or reaches farther is no more work: faked nodes, pageblocks, sections', async () => {
  const counts = await counted('far', '4', '4', '256');
  expect(Object.keys(counts)).toHaveLength(3);
  for (const [work, { 4: near, 256: far }] of Object.entries(counts)) {
    expect([work, far! / near! < 1.5]).toEqual([work, true]);
  }
});
