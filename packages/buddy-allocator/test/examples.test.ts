// Every example is a program of its own: it must end by itself, and say what it promises.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const run = promisify(execFile);

const output = async (name: string): Promise<string> => {
  const path = fileURLToPath(new URL(`../examples/${name}.mjs`, import.meta.url));
  const { stdout, stderr } = await run(process.execPath, [path], { timeout: 50_000 });
  expect(stderr).toBe('');
  return stdout;
};

test('pipeline: every frame arrives whole and every page comes back', async () => {
  const text = await output('pipeline');
  // 0 + 1 + … + 1999
  expect(text).toContain('2000 frames of 64 KiB through 4096 pages, sum 1999000\n');
  expect(text).toContain('pages still allocated: 0, invariants broken: 0\n');
});

test('guest memory: zones follow from the map, requests stay below their limits', async () => {
  const text = await output('guest-memory');
  expect(text).toContain('  Normal   [mem 0x0000000100000000-0x000000013fffffff]\n');
  expect(text).toContain('initrd at 3066 MiB\n');
  expect(text).toContain('below 16 MiB: true, below 4 GiB: true, above: true\n');
  expect(text.match(/^Node 0, zone/gm)).toHaveLength(3);
});

test('GPU buffer: compaction makes room without losing a mesh', async () => {
  expect((await output('gpu-buffer')).split('\n')).toEqual([
    '16384 meshes fill the buffer',
    'free 12288 units, unusable for 256 KiB: 1',
    '256 KiB: no place',
    'moved some, intact: true',
    'unusable for 256 KiB: 0',
    '256 KiB: found',
    'units used: 100',
    '',
  ]);
});

test('store: pressure drops the oldest columns and loses none unseen', async () => {
  expect(await output('store')).toBe(
    [
      'columns: 500, all of them were stored; newest whole: true',
      'memory ran low: true, oldest dropped: true',
      'pages still allocated: 0',
      '',
    ].join('\n'),
  );
});

test('byte ranges: what is here, what is missing, what to ask for next', async () => {
  expect((await output('byte-ranges')).split('\n')).toEqual([
    'here: 0-4 KiB, 8-128 KiB, 512-640 KiB',
    'missing: 4-8 KiB, 128-512 KiB, 640-1024 KiB',
    'next request of 256 KiB at 256 KiB',
    '',
  ]);
});

test('column store: of a killed worker nothing is lost, and nothing of the others', async () => {
  expect((await output('column-store')).split('\n')).toEqual([
    'of the killed worker: at most three columns begun: true, all freed: true',
    'columns: at least 400: true, each whole: true',
    'pages still allocated: 0, invariants broken: 0',
    '',
  ]);
});

test('wasm host: two guests share a memory that grows; one is killed, the other goes on', async () => {
  expect((await output('wasm-host')).split('\n')).toEqual([
    'sums of the first 300 blocks right: true, pages of the killed guest: 0',
    'the other went on: true, the memory grew: true',
    'pages still allocated: 0, invariants broken: 0',
    '',
  ]);
});
