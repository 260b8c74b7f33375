/** Findings: each with its line, an explanation with its amounts, and a remedy. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDescription } from '@bootmem/firmware-map';
import { describe, expect, test } from '@jest/globals';
import { findingsOf } from '../dist/findings/find.js';
import { loadMachine } from '../dist/index.js';
import { planLayout } from '../dist/plan/layout-plan.js';
import type { Finding } from '../dist/result.js';
import { FIXTURES, run } from './helpers/run.js';

const MAP = [
  'BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable',
  'BIOS-e820: [mem 0x0000000000100000-0x00000000bfffffff] usable',
  'BIOS-e820: [mem 0x0000000100000000-0x000000043fffffff] usable',
];

function log(commandLine: string, ...lines: string[]): string {
  return ['Linux version 6.12.0 (u@h)', `Command line: ${commandLine}`, ...MAP, ...lines].join(
    '\n',
  );
}

function find(text: string): Finding[] {
  const lines = new Map<number, string>();
  const read = parseDescription(text, { onRecord: (line, words) => void lines.set(line, words) });
  if (!read.ok) throw new Error(read.problems[0]?.message);
  return findingsOf(planLayout(read.description), lines);
}

describe('complaints of the kernel', () => {
  test.each([
    [
      "WARNING: BIOS bug: CPU MTRRs don't cover all of memory, losing 256MB of RAM.",
      'mtrr-loss',
      /256 MiB would be uncached/,
    ],
    ['crashkernel reservation failed - memory is in use.', 'crashkernel-failed', /that is in use/],
    [
      'cannot allocate crashkernel (size:0x100000000)',
      'crashkernel-failed',
      /asked 512 MiB, got nothing; free stretches: node 0: [\d.]+ GiB below 4 GiB, 12\.\d GiB above/,
    ],
    [
      'cannot allocate crashkernel low memory (size:10000000).',
      'crashkernel-low-failed',
      /below 4/,
    ],
    ['crashkernel: memory value expected', 'crashkernel-ignored', /memory value expected/],
    [
      'HugeTLB: allocating 64 of page size 1.00 GiB failed.  Only allocated 14 hugepages.',
      'hugetlb-failed',
      // 1 GiB to 3 GiB, and 4 GiB to 16 GiB less the descriptors at its top: 2 + 12.
      /asked 64 huge pages of 1.00 GiB, got 14; aligned free stretches hold 14 on node 0/,
    ],
    ['HugeTLB: unsupported hugepagesz=1G', 'hugetlb-unsupported', /no huge pages of 1G/],
    ['cma: Failed to reserve 1024 MiB', 'cma-failed', /asked 1024 MiB, got nothing/],
    ['Warning only 896MB will be used.', 'beyond-reach', /reaches 896 MiB/],
    ["hugetlb_cma: the option isn't supported by current arch", 'hugetlb-cma', /no effect/],
    [
      'software IO TLB: swiotlb_memblock_alloc: Failed to allocate 67108864 bytes tlb structure',
      'swiotlb-failed',
      /no bounce buffer/,
    ],
    ["Malformed early option 'mem'", 'option-malformed', /mem=/],
  ])('%s', (line, id, message) => {
    const [finding, ...more] = find(log('crashkernel=512M', line));
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ id, line: 6, text: line });
    expect(finding!.message).toMatch(message);
    expect(finding!.remedy).not.toBe('');
  });

  test('huge pages that a line counts are taken: what is free is room for more', () => {
    const lines = [
      'HugeTLB: allocating 64 of page size 1.00 GiB failed.  Only allocated 14 hugepages.',
      'HugeTLB: registered 1.00 GiB page size, pre-allocated 14 pages',
    ];
    expect(find(log('hugepages=64', ...lines))[0]!.message).toMatch(
      /got 14; beside those, aligned free stretches hold 0 on node 0$/,
    );
  });

  test('errors come before warnings, whatever the order of the lines', () => {
    const found = find(
      log('ro', 'HugeTLB: unsupported hugepagesz=1G', 'cma: Failed to reserve 16 MiB'),
    );
    expect(found.map(({ severity }) => severity)).toEqual(['error', 'warning']);
  });
});

describe('options without effect', () => {
  test('movable_node where nothing is hot-pluggable, and where all of it is held', () => {
    expect(find(log('movable_node'))[0]!.message).toMatch(/marks no memory as hot-pluggable/);
    const marked = log(
      'movable_node',
      'ACPI: SRAT: Node 0 PXM 0 [mem 0x00000000-0x43fffffff] hotplug',
    );
    expect(find(marked)[0]!.message).toMatch(/holds something of the kernel/);
  });

  test('memmap= whose $ was eaten limits memory', () => {
    const [finding] = find(log('memmap=64G64G'));
    expect(finding).toMatchObject({ id: 'option-dollar', line: 2 });
    expect(find(log('memmap=64M$1G'))).toEqual([]);
  });

  test('kernelcore= larger than the machine', () => {
    expect(find(log('kernelcore=64G'))[0]).toMatchObject({ id: 'option-without-effect' });
    expect(find(log('kernelcore=4G'))).toEqual([]);
  });

  test('crashkernel= by ranges that begin above the machine’s memory', () => {
    const memory =
      'Memory: 16000000K/16776700K available (1K kernel code, 1K rwdata, 1K rodata, 1K init, 1K bss, 700000K reserved, 0K cma-reserved)';
    const [finding] = find(log('crashkernel=64G-:256M', memory));
    expect(finding!.message).toMatch(/first range begins at 64 GiB, the machine has 16\.0 GiB/);
    const reserved = 'crashkernel reserved: 0x00000000af000000 - 0x00000000bf000000 (256 MB)';
    expect(find(log('crashkernel=256M', reserved, memory))).toEqual([]);
  });

  test('numa=fake without a faked node', () => {
    expect(find(log('numa=fake=4'))[0]!.id).toBe('option-without-effect');
  });
});

test('a SRAT that was thrown away', () => {
  const found = find(
    log(
      'ro',
      'ACPI: SRAT: Node 0 PXM 0 [mem 0x00000000-0x7fffffff]',
      'ACPI: SRAT: Node 1 PXM 1 [mem 0x100000000-0x13fffffff]',
      'NUMA: nodes only cover 2047MB of your 4095MB e820 RAM. Not used.',
    ),
  );
  expect(found[0]).toMatchObject({ id: 'srat-rejected', severity: 'error', line: 8 });
  expect(found[0]!.message).toMatch(/2 nodes as one/);
});

test('recorded boots without trouble have no findings', async () => {
  for (const name of ['k61-1n-128m', 'k61-4n-odd', 'k612-4n-small']) {
    const { description, lines } = await loadMachine(`${FIXTURES}${name}`);
    expect(findingsOf(planLayout(description), lines)).toEqual([]);
  }
});

const shared = new URL('../../../../shared/', import.meta.url).pathname;
const SHARED_BOOT = `${shared}oracle/boots2/k618-ovmf-1g`;
(existsSync(SHARED_BOOT) ? test : test.skip)(
  'EFI boot services that are lost are counted',
  async () => {
    const { description, lines } = await loadMachine(SHARED_BOOT);
    const [finding] = findingsOf(planLayout(description), lines);
    // 9398 pages: what the zones of that boot lack.
    expect(finding).toMatchObject({ id: 'deferred-loss', severity: 'error' });
    expect(finding!.message).toContain('9 398 pages');
  },
);

test('every command tells them, and --strict makes them its exit code', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'findings-'));
  const bad = join(folder, 'bad.log');
  try {
    await writeFile(bad, log('ro', 'cma: Failed to reserve 1024 MiB'));
    for (const command of ['explain', 'check', 'boot']) {
      const plain = await run([command, bad]);
      expect(plain.code).toBe(0);
      expect(plain.out).toContain('error (line 6): no room for a contiguous area');
      expect((await run([command, bad, '--strict', '--quiet'])).code).toBe(1);
      const json = JSON.parse((await run([command, bad, '--json'])).out) as { findings: Finding[] };
      expect(json.findings[0]).toMatchObject({ id: 'cma-failed', line: 6 });
    }
    expect((await run(['explain', '--strict', `${FIXTURES}k61-1n-128m`])).code).toBe(0);
  } finally {
    await rm(folder, { recursive: true });
  }
});
