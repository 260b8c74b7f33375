// Page counts of deferred initialisation, as kernels to 5.7 print them.
import type { MachineDescription } from '@bootmem/firmware-map';
import { expect, test } from '@jest/globals';
import { checkMachine } from '../dist/check.js';
import { bootMemory } from '../dist/index.js';
import { loadMachine } from '../dist/input/load-machine.js';
import { FIXTURES } from './helpers/run.js';

const SECTION = 32768;
const loaded = await loadMachine(`${FIXTURES}k61-4n-odd`);

/** What `check` says of these counts. */
function verdicts(
  counts: readonly (readonly [nid: number, pages: number])[],
): (string | undefined)[] {
  const { description } = loaded;
  const deferred = counts.map(([nid, pages]) => ({ nid, pages, ms: 1, line: 1 }));
  const changed: MachineDescription = {
    ...description,
    printed: { ...description.printed, deferred },
  };
  const { facts } = checkMachine({ ...loaded, description: changed });
  const own = facts.filter(({ fact }) => fact === 'deferred pages');
  return counts.map(([nid]) => own.find(({ subject }) => subject === `node ${nid}`)?.verdict);
}

test('a boot that follows 5.7 prints its pages, and they are what check derives', async () => {
  const machine = await bootMemory(loaded.description, { threads: 1, profile: '5.7' });
  const lines = machine.log.flatMap((line) => {
    const match = /node (\d+) initialised, (\d+) pages in \d+ms$/.exec(line);
    return match === null ? [] : [[Number(match[1]), Number(match[2])] as const];
  });
  await machine.close();
  expect(lines.map(([nid]) => nid).sort()).toEqual([0, 1, 2, 3]);
  expect(verdicts(lines)).toEqual(['equal', 'equal', 'equal', 'equal']);
  // A section that was grown before the pass is not in its count; a page less or more is a mistake.
  const [nid, pages] = lines.reduce((most, one) => (one[1] > most[1] ? one : most));
  expect(verdicts([[nid, pages - SECTION]])).toEqual(['equal']);
  expect(verdicts([[nid, pages - 5]])).toEqual(['differs']);
  expect(verdicts([[nid, pages + 1]])).toEqual(['differs']);
  expect(verdicts([[nid, pages - SECTION - 5]])).toEqual(['not derivable']);
});

test('lines without pages say which nodes, and no count is compared', () => {
  const facts = checkMachine(loaded).facts.map(({ fact }) => fact);
  expect(facts).toContain('deferred nodes');
  expect(facts).not.toContain('deferred pages');
});
