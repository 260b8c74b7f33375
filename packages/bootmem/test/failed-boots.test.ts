// A boot that ends in the middle leaves no memory behind: nobody waits for it to go on.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const HELPER = fileURLToPath(new URL('./helpers/failed-boots.mjs', import.meta.url));

(process.platform === 'linux' ? test : test.skip).each(['early', 'first-allocation', 'deferred'])(
  'boots that end when it is said that they are at "%s" give their memory back: /proc/self/maps',
  async (phase) => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', HELPER, phase]);
    const { most, left } = JSON.parse(stdout) as Record<string, number>;
    expect(most).toBeGreaterThan(0);
    expect(left).toBe(0);
  },
);
