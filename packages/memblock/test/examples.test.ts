// The example is a program of its own: it must end by itself, and say what it promises.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const run = promisify(execFile);

test('MMIO map: overlaps are refused, and each address has its owner', async () => {
  const path = fileURLToPath(new URL('../examples/mmio-map.mjs', import.meta.url));
  const { stdout, stderr } = await run(process.execPath, [path], { timeout: 50_000 });
  expect(stderr).toBe('');
  expect(stdout.split('\n')).toEqual([
    '0xfe0003f8',
    'rtc: overlaps uart',
    '0xfe000400',
    'disk: no window has 0xd0000000-0xd0001000',
    '0xc0fe0000',
    '0xc0fdf000',
    'frame buffer: no room in pci',
    '0xfe0003fa: uart + 0x2',
    '0xfe000402: rtc + 0x2',
    '0xc0ff0010: net + 0x10010',
    '0xc0000000: nobody in pci',
    '0xfe010000: nobody in isa',
    '0x0: nobody',
    '0xc0fe0000: nobody in pci',
    'taken: 4120 bytes in 3 places',
    '',
  ]);
});
