import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { parseDescription, synthesize } from '@bootmem/firmware-map';
import { loadMachine } from '../dist/index.js';
import type { LoadedMachine } from '../dist/index.js';
import { atOnce } from '@bootmem/firmware-map/derive';
import { planLayout } from '../dist/plan/layout-plan.js';
import { stateOfBoot } from '../dist/what-if/boot-state.js';
import { ImageMove, imageOf } from '../dist/what-if/image.js';
import { otherBoot } from '../dist/what-if/other-boot.js';
import { randomPlaces } from '../dist/what-if/random-places.js';
import { wishesOf } from '../dist/what-if/requests/from-options.js';
import { whatIf } from '../dist/what-if/what-if.js';
import type { Changes } from '../dist/what-if/changes.js';
import type { WhatIfReport, WhatIfRow } from '../dist/what-if-result.js';
import { run } from './helpers/run.js';
import { validate } from './helpers/schemas.js';

const FIXTURES = new URL('../test/fixtures/what-if/', import.meta.url).pathname;
const GIB = 2 ** 30;

const recording = (name: string): Promise<LoadedMachine> => loadMachine(`${FIXTURES}${name}`);

function row(report: WhatIfReport, id: string): WhatIfRow {
  const found = report.rows.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no row ${id}`);
  return found;
}

const hex = (start: number, end: number): string =>
  [start, end - 1].map((address) => `0x${address.toString(16).padStart(16, '0')}`).join('-');

/** Pairs of recordings of one machine and kernel whose command lines differ. */
const PAIRS = [
  ['k61-1n-4g', 'k61-crash256m'],
  ['k61-1n-4g', 'k61-mem-1000m'],
  ['k61-mem-1000m', 'k61-1n-4g'],
  ['k61-crash256m', 'k61-mem-1000m'],
  ['k61-2n-2g-2g', 'k61-kernelcore-1g'],
  ['k61-kernelcore-1g', 'k61-2n-2g-2g'],
  ['k73-1n-2g', 'k73-cma64m'],
  ['k73-cma64m', 'k73-memmap-reserve'],
  ['k73-memmap-reserve', 'k73-reserve_mem'],
  ['k73-reserve_mem', 'k73-1n-2g'],
  ['k61-srat-hotplug-nomovable', 'k61-srat-hotplug-movable_node'],
] as const;

test.each(PAIRS)(
  'from %s the figures of %s follow, as its kernel reports them',
  async (first, second) => {
    const [today, other] = [await recording(first), await recording(second)];
    const report = whatIf(today, { commandLine: other.description.commandLine!.text });
    const { proc, printed } = other.description;
    for (const zone of proc.zoneinfo!.filter(({ spanned = 0 }) => spanned > 0)) {
      const name = `node ${zone.nid} ${zone.zone}`;
      const ours = ['start', 'spanned', 'present', 'managed'].map((fact) =>
        row(report, `${name} ${fact}`),
      );
      expect(ours.map(({ after, certainty }) => [after, certainty])).toEqual(
        [zone.startPfn, zone.spanned, zone.present, zone.managed].map((value) => [
          value,
          'follows',
        ]),
      );
      if (zone.managed === 0) continue;
      expect(row(report, `${name} marks`).after).toBe(`${zone.min} ${zone.low} ${zone.high}`);
      expect(row(report, `${name} reserve`).after).toBe(zone.protection!.join(' '));
    }
    for (const { start, end } of printed.crashkernel) {
      expect(row(report, 'crashkernel')).toMatchObject({
        after: hex(start, end),
        certainty: 'follows',
      });
    }
    for (const { start, bytes } of printed.cma ?? []) {
      expect(row(report, 'cma')).toMatchObject({
        after: hex(start!, start! + bytes),
        certainty: 'follows',
      });
    }
    for (const { nid, start, end } of other.description.numa.nodeData) {
      expect(row(report, `node data ${nid}`).after).toBe(hex(start, end));
    }
    // What the second boot is today is what the first would be then, figure by figure.
    const there = whatIf(other, {});
    for (const { id, before } of there.rows) {
      expect([id, report.rows.find((one) => one.id === id)?.after]).toEqual([id, before]);
    }
  },
);

test('with today’s own options nothing changes, and every early allocation lies where the log has it', async () => {
  for (const name of new Set([...PAIRS.flat(), 'k73-huge1g-pdpe'])) {
    const report = whatIf(await recording(name), {});
    expect([name, report.rows.filter(({ changed }) => changed)]).toEqual([name, []]);
    const { equal, of } = report.reproduced!;
    expect(of).toBeGreaterThan(50);
    expect(equal).toBe(of);
  }
});

test('reserve_mem= is placed where the kernel placed it', async () => {
  const [today, other] = [await recording('k73-1n-2g'), await recording('k73-reserve_mem')];
  const report = whatIf(today, { commandLine: other.description.commandLine!.text });
  // "memblock_phys_alloc_range: 4194304 bytes … reserve_mem" and what it got.
  expect(row(report, 'reserve_mem trace').after).toBe(hex(0x78400000, 0x78800000));
  expect(row(report, 'reserve_mem oops').after).toBe(hex(0x78200000, 0x78400000));
  const old = whatIf(await recording('k61-1n-4g'), { add: ['reserve_mem=4M:4096:trace'] });
  expect(row(old, 'reserve_mem')).toMatchObject({ certainty: 'unknown' });
});

test('gigantic pages are taken where they are free, in turn from each node', async () => {
  const eight = await recording('k73-huge1g-pdpe');
  const more = whatIf(eight, { remove: ['hugepages'], add: ['hugepages=9'] });
  // 4 GiB end at 9 GiB, where early allocations lie; below 4 GiB one GiB begins free, and the image lies in another.
  expect(row(more, 'huge pages 1024 MiB node 0')).toMatchObject({
    before: '3 of 3',
    after: '5 of 9',
  });
  expect(row(more, 'huge pages 1024 MiB node 0').reason).toMatch(/5 of 9 pages/);
  const none = whatIf(eight, { remove: ['hugepages', 'hugepagesz', 'default_hugepagesz'] });
  expect(none.rows.find(({ id }) => id.startsWith('huge pages'))).toMatchObject({
    before: '3 of 3',
  });
  expect(none.rows.find(({ id }) => id.startsWith('huge pages'))).not.toHaveProperty('after');
  // They join managed pages when hugetlb takes them over, so the zone has as many with them as without (other words of
  // the same length, since the kernel keeps copies of its command line).
  const commandLine = eight.description.commandLine!.text.replaceAll('huge', 'hugo');
  const managed = row(whatIf(eight, { commandLine }), 'node 0 Normal managed');
  expect(managed.after).toBe(managed.before);
  const lacking = whatIf(await recording('k61-1n-4g'), { add: ['hugepagesz=1G hugepages=1'] });
  expect(row(lacking, 'huge pages 1024 MiB')).toMatchObject({ certainty: 'unknown' });
  const small = whatIf(await recording('k61-1n-4g'), { add: ['hugepages=100'] });
  expect(row(small, 'huge pages 2 MiB')).toMatchObject({ after: '100 asked' });
});

test.each([
  // The last plain value counts; two thirds of a size that does not fit below 4 GiB goes above it, with a low part.
  ['crashkernel=64M crashkernel=128M', 128 * 2 ** 20, undefined],
  ['crashkernel=3G-:512M', 512 * 2 ** 20, undefined],
  ['crashkernel=16G-:512M', undefined, undefined],
  ['crashkernel=512M,high', 512 * 2 ** 20, 256 * 2 ** 20],
  ['crashkernel=512M,high crashkernel=64M,low', 512 * 2 ** 20, 64 * 2 ** 20],
  ['crashkernel=512M,high crashkernel=0,low', 512 * 2 ** 20, undefined],
] as const)('%s keeps what it says', async (add, main, low) => {
  const report = whatIf(await recording('k61-1n-4g'), { add: [add] });
  const bytes = (id: string): number | undefined => {
    const text = report.rows.find((one) => one.id === id)?.after;
    const [start, end] = String(text ?? '')
      .split('-')
      .map(Number);
    return text === undefined ? undefined : end! - start! + 1;
  };
  expect([bytes('crashkernel'), bytes('crashkernel low')]).toEqual([main, low]);
});

test('a crash kernel that fits nowhere, or whose place is in use, says so', async () => {
  const four = await recording('k61-1n-4g');
  const large = row(whatIf(four, { add: ['crashkernel=3584M'] }), 'crashkernel');
  expect(large).toMatchObject({ after: 'none', reason: 'no free stretch of 3584 MiB' });
  // The image lies at 16 MiB.
  const taken = row(whatIf(four, { add: ['crashkernel=64M@16M'] }), 'crashkernel');
  expect(taken).toMatchObject({ after: 'none' });
  const free = row(whatIf(four, { add: ['crashkernel=64M@512M'] }), 'crashkernel');
  expect(free.after).toBe(hex(512 * 2 ** 20, 576 * 2 ** 20));
  for (const value of ['auto', '64M,cma']) {
    const unknown = row(whatIf(four, { add: [`crashkernel=${value}`] }), 'crashkernel');
    expect(unknown).toMatchObject({ certainty: 'unknown', changed: true });
  }
});

describe('without nokaslr', () => {
  const freed = { remove: ['nokaslr'] };

  test('places are no more than estimates, the layout follows', async () => {
    const four = await recording('k61-1n-4g');
    const report = whatIf(four, { ...freed, add: ['crashkernel=256M'] });
    expect(row(report, 'crashkernel')).toMatchObject({ certainty: 'estimate' });
    expect(row(report, 'crashkernel').reason).toMatch(/nokaslr/);
    expect(row(report, 'node 0 DMA32 present')).toMatchObject({ certainty: 'follows' });
    expect(row(report, 'node 0 DMA32 present')).not.toHaveProperty('places');
    const fixed = whatIf(four, { add: ['crashkernel=256M'] });
    expect(fixed.rows.filter(({ places }) => places !== undefined)).toEqual([]);
  });

  // memory    |16 MiB ················ image? ······ 3 GiB − 128 KiB| initrd |
  // 256 MiB   at the top: 0xaf000000; below an image of 68.1 MiB that ends right there: 0x9b000000.
  test('the set of places reaches from the top down to below an image at the top', async () => {
    const four = await recording('k61-1n-4g');
    const report = whatIf(four, { ...freed, add: ['crashkernel=256M'] });
    expect(row(report, 'crashkernel').places).toEqual([{ start: 0x9b000000, end: 0xbf000000 }]);
  });

  test('what would fit in one piece fails where the image cuts it in two', async () => {
    const four = await recording('k61-1n-4g');
    const reason = (size: string): string | undefined =>
      row(whatIf(four, { ...freed, add: [`crashkernel=${size}`] }), 'crashkernel').reason;
    expect(reason('2G')).toMatch(/^fails where the image cuts the room in two, as at 0x/);
    expect(reason('512M')).not.toMatch(/fails/);
  });

  test('gigantic pages are as many as the image leaves room for', async () => {
    const huge = await recording('k73-huge1g-pdpe');
    const report = whatIf(huge, { remove: ['nokaslr', 'hugepages'], add: ['hugepages=8'] });
    const pages = report.rows.filter(({ id }) => id.startsWith('huge pages 1024 MiB'));
    expect(pages.map(({ reason }) => reason).join()).toMatch(/between \d+ and \d+ of them/);
  });

  // Every place of the image, one by one: nothing lies where the set does not say.
  test.each([
    ['k61-1n-4g', 'crashkernel=700M'],
    ['k61-1n-4g', 'crashkernel=300M,high'],
    ['k61-2n-2g-2g', 'crashkernel=1G'],
    ['k73-1n-2g', 'cma=300M'],
  ])('%s with %s: no place of the image gives one outside the set', async (name, option) => {
    const { description } = await recording(name);
    const today = planLayout(description);
    const changed = otherBoot(description, { ...freed, add: [option] });
    const { wishes } = wishesOf(changed.description, description);
    const input = {
      today,
      other: planLayout(changed.description),
      wishes,
      differs: changed.differs,
    };
    const sets = atOnce(randomPlaces(input, atOnce(stateOfBoot(input))))!;
    const image = imageOf(today)!;
    const size = image.end - image.start;
    let tried = 0;
    // Each seventh place of 2 MiB, over the longest range of memory.
    for (const { start, end } of input.other.derived.memory) {
      for (let at = Math.max(start, 2 ** 24); at + size <= end; at += 14 * 2 ** 20) {
        const move = new ImageMove(image, at - image.start);
        const { outcomes } = atOnce(stateOfBoot({ ...input, move }));
        for (const { id, ranges } of outcomes) {
          const { places, failsAt } = sets.get(id)!;
          if (ranges.length === 0) expect([id, at, failsAt]).not.toContain(undefined);
          for (const range of ranges) {
            const isInside = places.some(
              (place) => place.start <= range.start && range.end <= place.end,
            );
            expect([id, at, range, isInside]).toEqual([id, at, range, true]);
          }
        }
        tried++;
      }
    }
    expect(tried).toBeGreaterThan(100);
  });
});

test('an option that is taken away leaves no trace', async () => {
  const limited = await recording('k61-mem-1000m');
  const report = whatIf(limited, { remove: ['mem'] });
  expect(report.after.commandLine).not.toContain('mem=1000M');
  expect(row(report, 'node 0 Normal spanned')).toMatchObject({
    after: 262144,
    certainty: 'follows',
  });
  // The initrd that mem= had moved stays where the loader put it.
  expect(row(report, 'initrd').after).toBe(hex(0xbfe9a000, 0xbffe0000));
  expect(row(report, 'initrd').before).not.toBe(row(report, 'initrd').after);
});

test('swiotlb= sets the size of the bounce buffer, mem= below 4 GiB takes it away', async () => {
  const four = await recording('k61-1n-4g');
  const bytes = (changes: Changes): unknown => row(whatIf(four, changes), 'bounce buffer').after;
  expect(bytes({ add: ['swiotlb=131072'] })).toBe(256 * 2 ** 20);
  expect(bytes({ add: ['swiotlb=1'] })).toBe(128 * 2048);
  expect(bytes({ add: ['swiotlb=noforce'] })).toBe(0);
  expect(bytes({ add: ['mem=1G'] })).toBe(0);
  const managed = row(whatIf(four, { add: ['swiotlb=131072'] }), 'node 0 DMA32 managed');
  expect((managed.before as number) - (managed.after as number)).toBe((192 * 2 ** 20) / 4096);
});

test('numa=fake= cuts nodes as recorded kernels did', async () => {
  const report = whatIf(await recording('k61-1n-4g'), { add: ['numa=fake=4'] });
  // Recorded: "Faking node 0 at [mem 0x0-0x3fffffff]", 1: -0x7fffffff, 2: -0xffffffff, 3: -0x13fffffff.
  expect([0, 1, 2, 3].map((nid) => row(report, `node ${nid} extent`).after)).toEqual([
    hex(0x1000, 0x40000000),
    hex(0x40000000, 0x80000000),
    hex(0x80000000, 0xbffe0000),
    hex(0x100000000, 0x140000000),
  ]);
  expect(report.notes.join()).toMatch(/built to fake nodes/);
});

test('another kernel’s rules change the layout; what its image takes is not known', async () => {
  const report = whatIf(await recording('k61-1n-4g'), { kernel: '7.3' });
  expect(report.after.kernel).toBe('7.3');
  expect(row(report, 'node 0 DMA32 present')).toMatchObject({
    certainty: 'follows',
    changed: false,
  });
  expect(row(report, 'node 0 DMA32 managed')).toMatchObject({ certainty: 'estimate' });
  expect(() => whatIf(report as unknown as LoadedMachine, {})).toThrow();
});

test('the memory model changes descriptors; nodes of equal size replace those of the firmware', async () => {
  const four = await recording('k61-1n-4g');
  // 5 GiB from the first page to the last, instead of 32 sections of 128 MiB.
  const flat = row(whatIf(four, { memoryModel: 'flatmem' }), 'descriptors');
  expect([flat.before, flat.after]).toEqual(
    [64 * 2 ** 20, 64 * (5 * 2 ** 18 - 1)].map((bytes) => Math.ceil(bytes / 4096) * 4096),
  );
  const two = whatIf(four, { nodes: 2 });
  expect(row(two, 'node 1 extent').after).toBe(hex(0xa0000000, 0x140000000));
});

test('without memblock=debug the layout follows, and amounts are estimates with a reason', async () => {
  const log = (await readFile(`${FIXTURES}k61-1n-4g/dmesg.txt`, 'utf8'))
    .split('\n')
    .filter((line) => !/memblock|MEMBLOCK| (?:memory|reserved)\[0x/.test(line))
    .map((line) => line.replace('memblock=debug ', ''))
    .join('\n');
  const read = parseDescription(log);
  if (!read.ok) throw new Error('no machine');
  const { description } = read;
  const report = whatIf({ description, source: 'plain', notes: [] }, { add: ['crashkernel=256M'] });
  expect(report).not.toHaveProperty('reproduced');
  expect(row(report, 'crashkernel')).toMatchObject({ certainty: 'estimate' });
  expect(row(report, 'crashkernel').reason).toMatch(/memblock=debug/);
  const free = row(report, 'free at hand-over');
  expect((free.before as number) - (free.after as number)).toBe(256 * 2 ** 20);
  const movable = whatIf(
    { description, source: 'plain', notes: [] },
    { add: ['movablecore=512M'] },
  );
  expect(row(movable, 'node 0 Movable present')).toMatchObject({
    after: 131072,
    certainty: 'follows',
  });
});

test('what numa=off hid, and memory without a map, are unknown', () => {
  const description = synthesize({ memory: '8G', commandLine: 'numa=off' });
  const off = whatIf({ description, source: 'made up', notes: [] }, { remove: ['numa'] });
  expect(row(off, 'node 0 present')).toMatchObject({ certainty: 'unknown' });
  expect(row(off, 'node 0 present').reason).toMatch(/kept the kernel from reading/);
  const bare = { ...description, firmware: { ...description.firmware, map: [] } };
  const printed = {
    ...bare.printed,
    earlyRanges: [{ start: 4096, end: 8 * GIB, nid: 0, line: 0 }],
  };
  const none = whatIf(
    { description: { ...bare, printed }, source: '', notes: [] },
    { add: ['mem=4G'] },
  );
  expect(row(none, 'present')).toMatchObject({ certainty: 'unknown' });
  // Nobody reads a figure that is not known, not even a program that overlooks the word.
  const unknown = [...off.rows, ...none.rows].filter((one) => one.certainty === 'unknown');
  expect(unknown.filter((one) => 'after' in one)).toEqual([]);
});

const parsed = (...lines: string[]): LoadedMachine => {
  const read = parseDescription(lines.join('\n'));
  if (!read.ok) throw new Error(read.problems[0]?.message);
  return { description: read.description, source: 'test', notes: [] };
};

test('gigantic pages come from each node in turn while both have room', () => {
  const machine = parsed(
    'Linux version 6.12.0 (u@h) #1 SMP',
    'Command line: quiet',
    'BIOS-e820: [mem 0x0000000000100000-0x00000000bfffffff] usable',
    'BIOS-e820: [mem 0x0000000100000000-0x000000043fffffff] usable',
    'ACPI: SRAT: Node 0 PXM 0 [mem 0x00000000-0x23fffffff]',
    'ACPI: SRAT: Node 1 PXM 1 [mem 0x240000000-0x43fffffff]',
    'HugeTLB: registered 1.00 GiB page size, pre-allocated 0 pages',
  );
  const report = whatIf(machine, { add: ['hugepagesz=1G', 'hugepages=4'] });
  const pages = [0, 1].map((nid) => row(report, `huge pages 1024 MiB node ${nid}`).after);
  expect(pages).toEqual(['2 of 2', '2 of 2']);
});

test('nodes that were faked stay, where the log does not say which option faked them', () => {
  const machine = parsed(
    'Linux version 6.12.0 (u@h) #1 SMP',
    'Command line: quiet',
    'BIOS-e820: [mem 0x0000000000100000-0x00000000bfffffff] usable',
    'BIOS-e820: [mem 0x0000000100000000-0x00000001bfffffff] usable',
    'No NUMA configuration found',
    'Faking a node at [mem 0x0000000000000000-0x00000001bfffffff]',
    'Faking node 0 at [mem 0x0000000000000000-0x00000000ffffffff] (4096MB)',
    'Faking node 1 at [mem 0x0000000100000000-0x00000001bfffffff] (3072MB)',
  );
  const present = (changes: Changes): unknown[] =>
    whatIf(machine, changes)
      .rows.filter(({ id }) => /^node \d present$/.test(id))
      .map(({ after, certainty }) => [after, certainty]);
  const nodes = [786176, 786432];
  expect(present({ add: ['crashkernel=256M'] })).toEqual(nodes.map((pages) => [pages, 'follows']));
  // With another map or other nodes they would be cut elsewhere.
  expect(present({ add: ['mem=4G'] }).flat()).toContain('unknown');
  expect(present({ add: ['numa=fake=1'] })[0]).toEqual([1572608, 'follows']);
});

test('arm64 keeps the area of cma= within the zone of devices', () => {
  const machine = parsed(
    'Booting Linux on physical CPU 0x0000000000 [0x411fd070]',
    'Linux version 7.3.0 (u@h) (aarch64-linux-gnu-gcc 12) #1 SMP',
    'Kernel command line: quiet',
    'Zone ranges:',
    '  DMA      [mem 0x0000000040000000-0x00000000ffffffff]',
    '  DMA32    empty',
    '  Normal   [mem 0x0000000100000000-0x000000013fffffff]',
    'Early memory node ranges',
    '  node   0: [mem 0x0000000040000000-0x000000013fffffff]',
  );
  const place = (value: string): unknown =>
    row(whatIf(machine, { add: [`cma=${value}`] }), 'cma').after;
  // Recorded: 64 MiB at 0xfc000000 with memory up to 5 GiB.
  expect(place('64M')).toBe(hex(0xfc000000, 0x100000000));
  expect(Number(String(place('64M@4G-5G')).split('-')[0])).toBeGreaterThanOrEqual(4 * GIB);
});

test('the command line is edited word by word', async () => {
  const four = await recording('k61-1n-4g');
  const text = (changes: Changes): string => whatIf(four, changes).after.commandLine;
  expect(text({ commandLine: 'quiet mem=2G  "a b=c d" mem=3G -- mem=1G', remove: ['mem'] })).toBe(
    'quiet "a b=c d" -- mem=1G',
  );
  expect(text({ commandLine: 'x -- y', add: ['cma=1M movable_node', 'mem=3G'] })).toBe(
    'x cma=1M movable_node mem=3G -- y',
  );
  expect(text({ commandLine: 'log-buf-len=1M quiet', remove: ['log_buf_len'] })).toBe('quiet');
  expect(() => text({ remove: ['crashkernel'] })).toThrow(/no option 'crashkernel'/);
  expect(() => text({ kernel: 'newest' })).toThrow(/release such as 7.3/);
});

test('every option of memory is answered, other words are counted', async () => {
  const report = whatIf(await recording('k61-1n-4g'), {
    commandLine:
      'mem=2G page_owner=on kfence.sample_interval=0 efi_fake_mem=1G@4G:0x40000 root=/dev/sda quiet',
  });
  const answers = new Map(report.options.map((one) => [one.name, one]));
  expect(answers.get('mem')).toMatchObject({ before: [], after: ['2G'], answer: 'modelled' });
  for (const name of ['page_owner', 'kfence.sample_interval', 'efi_fake_mem']) {
    expect(answers.get(name)!.answer).toBe('no model');
    expect(answers.get(name)!.text).toContain(`no model for ${name}`);
  }
  expect(report.ignoredWords).toBe(2);
});

test('what-if --json fits its schema; the text has what changes, --all everything', async () => {
  const args = [
    'what-if',
    `${FIXTURES}k61-1n-4g`,
    '--add',
    'crashkernel=256M',
    '--add',
    'page_owner=on',
  ];
  const { code, out, err } = await run(args);
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^node 0 DMA32, managed +754605 +689069 +−256 MiB$/m);
  expect(out).toMatch(/^crash kernel +– +0xaf000000-0xbeffffff$/m);
  expect(out).toContain('option page_owner: no model for page_owner');
  expect(out).toContain('68 of 68 lie where the log has them');
  expect(out).not.toContain('node 0 DMA32, present');
  expect((await run([...args, '--all'])).out).toContain('node 0 DMA32, present');
  for (const more of [
    [],
    ['--kernel', '7.3'],
    ['--add', 'crashkernel=auto'],
    ['--add', 'numa=fake=2'],
  ]) {
    await validate('what-if', JSON.parse((await run([...args, ...more, '--json'])).out));
  }
  // What neither boot's log tells is a line; times have their unit.
  const large = await run(['what-if', '--memory', '64G', '--nodes', '2', '--kernel', '7.3']);
  expect(large.code).toBe(2);
  const more = await run(['what-if', '--add', 'kernelcore=1G', '--nodes', '8']);
  expect(more.out).toMatch(
    /deferred initialisation, by the model +[\d.]+ ms +[\d.]+ ms +[+−][\d.]+ ms$/m,
  );
  expect(await run(['what-if', '--quiet'])).toEqual({ code: 0, out: '', err: '' });
  expect((await run(['what-if', '--remove', 'nothing'])).code).toBe(2);
  expect((await run(['what-if', '--kernel', 'x'])).code).toBe(2);
});
