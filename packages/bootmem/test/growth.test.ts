// What a check and the plan of a boot execute grows as the map does: counted, not timed.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const SCRIPT = fileURLToPath(new URL('./helpers/count-operations.mjs', import.meta.url));

test('twice as many entries are twice as much work: e820, EFI, iomem, nodes, blocks, holes, bad ranges', async () => {
  const env = { ...process.env, NODE_V8_COVERAGE: '' };
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, '600', '1200'], { env });
  const counts = JSON.parse(stdout) as Record<string, Record<string, { all: number }>>;
  expect(Object.keys(counts)).toHaveLength(8);
  for (const [work, { 600: once, 1200: twice }] of Object.entries(counts)) {
    // A square term that a hundred thousand entries would drown in shows long before.
    expect([work, twice!.all / once!.all < 2.15]).toEqual([work, true]);
    expect(once!.all).toBeGreaterThan(60_000);
  }
});
