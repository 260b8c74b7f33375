/** Marks follow from the size of pageblocks, which not every architecture has one of. */
import { existsSync } from 'node:fs';
import { synthesize } from '@bootmem/firmware-map';
import { expect, test } from '@jest/globals';
import { checkMachine } from '../dist/check.js';
import { pageblockSizes } from '../dist/check/facts/pageblock-facts.js';
import { loadMachine } from '../dist/index.js';
import { planLayout } from '../dist/plan/layout-plan.js';

const RECORDINGS = new URL('../../../../shared/oracle/boots2/', import.meta.url).pathname;

async function verdicts(name: string, pagesPerBlock: number | undefined): Promise<string[]> {
  const machine = await loadMachine(RECORDINGS + name);
  const { pagetypeinfo, ...proc } = machine.description.proc;
  const info =
    pagesPerBlock === undefined ? {} : { pagetypeinfo: { ...pagetypeinfo!, pagesPerBlock } };
  const description = { ...machine.description, proc: { ...proc, ...info } };
  return checkMachine({ ...machine, description })
    .facts.filter(({ fact }) => fact === 'watermarks')
    .map(({ verdict }) => verdict);
}

// Pages of 4 KiB: a huge page of ppc64 is 512 of them here.
(existsSync(RECORDINGS) ? test : test.skip)(
  'ppc64 without /proc/pagetypeinfo: the marks tell which size its huge pages have',
  async () => {
    expect(await verdicts('p73-1n-2g', 512)).toEqual(['equal']);
    expect(await verdicts('p73-1n-2g', undefined)).toEqual(['equal']);
    expect(await verdicts('p73-1n-2g', 4096)).toEqual(['differs']);
  },
);

test.each([
  ['x86_64', 4096, [512]],
  ['arm64', 16384, [2048]],
  ['arm64', 65536, [8192]],
  ['i386', 4096, [512, 1024]],
  ['ppc64', 65536, [32, 256]],
  ['s390x', 4096, [256]],
] as const)('%s with pages of %d bytes: %j pages a block', (architecture, pageSize, pages) => {
  const description = synthesize({ memory: 2 ** 30 });
  const plan = { ...planLayout(description), pageSize };
  expect(pageblockSizes({ ...plan, description: { ...description, architecture } })).toEqual(pages);
});
