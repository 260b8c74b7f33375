/** Recorded boots with a line of their log lost: a fact is as it was, or not derivable, and never another value. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mergeDescriptions, parseDescription } from '@bootmem/firmware-map';
import type { MachineDescription } from '@bootmem/firmware-map';
import { expect, test } from '@jest/globals';
import { checkMachine } from '../dist/check.js';
import { loadMachine } from '../dist/index.js';

const FOLDER = new URL('fixtures/recordings/', import.meta.url).pathname;
const SIBLINGS = ['zoneinfo', 'pagetypeinfo', 'iomem', 'nodes', 'debugfs_memblock'];

/** One in so many lines of memblock=debug, of which there are many alike. */
const MEMBLOCK_STEP = 31;

function read(text: string, name: string): MachineDescription | undefined {
  const result = parseDescription(text, { name });
  return result.ok ? result.description : undefined;
}

test.each(readdirSync(FOLDER))('%s: no line that is lost gives another value', async (name) => {
  const { blocks } = await loadMachine(FOLDER + name);
  const beside = SIBLINGS.flatMap((file) => {
    const path = `${FOLDER}${name}/${file}.txt`;
    return existsSync(path) ? (read(readFileSync(path, 'utf8'), `${file}.txt`) ?? []) : [];
  });
  const lines = readFileSync(`${FOLDER}${name}/dmesg.txt`, 'utf8').split('\n');
  const differing = (left: readonly string[]): string[] => {
    const log = read(`${left.join('\n')}\n`, 'dmesg.txt');
    if (log === undefined) return [];
    const description = mergeDescriptions(log, ...beside);
    const more = blocks === undefined ? {} : { blocks };
    return checkMachine({ description, source: name, notes: [], ...more })
      .facts.filter(({ verdict }) => verdict === 'differs')
      .map(({ fact, subject, kernel, ours }) => `${fact} of ${subject}: ${kernel}, ours ${ours}`);
  };
  expect(differing(lines)).toEqual([]);
  const wrong = lines.flatMap((lost, index) => {
    const isAlike = lost.includes('memblock_') && !lost.includes('free');
    if (lost === '' || (isAlike && index % MEMBLOCK_STEP !== 0)) return [];
    return differing(lines.toSpliced(index, 1)).map((fact) => ({ lost, fact }));
  });
  expect(wrong).toEqual([]);
});
