import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { synthesize } from '@bootmem/firmware-map';
import { bootMemory, INIT_MODULE } from '../dist/browser.js';
import * as init from '../dist/init-worker.js';

/** Every module of this package that a file pulls in, and what else it imports. */
function imports(file: string, seen = new Map<string, string[]>()): Map<string, string[]> {
  if (seen.has(file)) return seen;
  const names = [
    ...readFileSync(file, 'utf8').matchAll(/^(?:import|export)[^;]*?from '([^']+)';/gm),
  ].map((match) => match[1]!);
  seen.set(
    file,
    names.filter((name) => !name.startsWith('.')),
  );
  for (const name of names.filter((one) => one.startsWith('.')))
    imports(resolve(dirname(file), name), seen);
  return seen;
}

test.each(['browser.js', 'init-worker.js'])('nothing below %s needs Node', (entry) => {
  const modules = imports(fileURLToPath(new URL(`../dist/${entry}`, import.meta.url)));
  const needed = [...modules.values()].flat();
  expect(needed.length).toBeGreaterThan(2);
  expect(needed.filter((name) => !name.startsWith('@bootmem/'))).toEqual([]);
});

test('without a worker the browser entry boots in the calling thread, with the same outcome', async () => {
  const description = synthesize({ memory: '2G' });
  const machine = await bootMemory(description, { threads: 4 });
  const report = machine.report();
  expect(report.options.threads).toBe(1);
  expect(report.threads.map((thread) => thread.thread)).toEqual([0]);
  const { bootMemory: inNode } = await import('../dist/index.js');
  const other = await inNode(description, { threads: 2 });
  expect(machine.buddyinfo()).toBe(other.buddyinfo());
  await other.close();
  await machine.close();
});

test('a worker can provide what the threads of the browser entry ask for', () => {
  expect(INIT_MODULE).toBe('bootmem:init');
  expect(Object.keys(init)).toEqual(
    expect.arrayContaining(['initChunk', 'attachThread', 'initDeviceChunk']),
  );
});
