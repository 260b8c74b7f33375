// Counts what a piece of work executes, so that growth can be tested without a clock: the engine's own counts of every
// block of code, loops too, times nothing else. Prints one JSON object: work, then size, then count.
//   node count-operations.mjs many|far SIZE…
import { Session } from 'node:inspector/promises';

// Before any module is compiled: only code that is compiled under it counts its blocks.
const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
const { fromJson, mergeDescriptions, parseDescription, synthesize, toJson } =
  await import('@bootmem/firmware-map');
const { checkMachine } = await import('../../dist/check.js');
const { explainMachine } = await import('../../dist/explain/explain-machine.js');
const { handover } = await import('../../dist/accounts/handover.js');
const { planPages } = await import('../../dist/plan/init-plan.js');
const { planLayout } = await import('../../dist/plan/layout-plan.js');
const { whatIf } = await import('../../dist/what-if/what-if.js');

const hex = (value) => `0x${value.toString(16).padStart(16, '0')}`;
const range = (start, end) => `[mem ${hex(start)}-${hex(end - 1)}]`;

/** `count` ranges from `start` on, every second one usable: 32 KiB of memory, then 16 KiB of something else. */
function alternating(count, start) {
  let at = start;
  return Array.from({ length: count }, (_, index) => {
    const from = at;
    at += index % 2 === 0 ? 0x8000 : 0x4000;
    return { start: from, end: at, usable: index % 2 === 0 };
  });
}

function zoneLines(ranges, start) {
  const usable = ranges.filter((one) => one.usable);
  const end = usable.at(-1).end;
  return [
    'Zone ranges:',
    ...(start < 2 ** 24 ? [`  DMA      ${range(start, 2 ** 24)}`] : []),
    `  DMA32    ${range(Math.max(start, 2 ** 24), end)}`,
    'Early memory node ranges',
    ...usable.map((one) => `  node   0: ${range(one.start, one.end)}`),
    `Initmem setup node 0 ${range(usable[0].start, end)}`,
  ];
}

function e820(count) {
  const ranges = [
    { start: 0x1000, end: 0x9f000, usable: true },
    ...alternating(count - 1, 0x100000),
  ];
  return [
    'Linux version 6.12.0 (a@b) #1 SMP',
    'Command line: quiet',
    ...ranges.map(
      (one) => `BIOS-e820: ${range(one.start, one.end)} ${one.usable ? 'usable' : 'reserved'}`,
    ),
    `last_pfn = ${hex(ranges.at(-1).end / 4096)} max_arch_pfn = 0x400000000`,
    ...zoneLines(ranges, 0x1000),
  ];
}

/** The same with nodes, and the files beside a log. */
function withNodes(count) {
  const lines = e820(count);
  const blocks = Math.ceil(count / 20);
  const size = 20 * 0x6000;
  const srat = Array.from({ length: blocks + 1 }, (_, index) => {
    const start = index === 0 ? 0 : 0x100000 + index * size;
    return `ACPI: SRAT: Node ${index % 2} PXM ${index % 2} ${range(start, 0x100000 + (index + 1) * size)}`;
  });
  const early = lines
    .filter((line) => /^ {2}node/.test(line))
    .map((line) => {
      const at = Number(/0x[0-9a-f]+/.exec(line)[0]);
      const nid = at < 0x100000 ? 0 : Math.floor((at - 0x100000) / size) % 2;
      return line.replace('node   0', `node   ${nid}`);
    });
  const [zones, banner] = [lines.findIndex((line) => line === 'Zone ranges:'), 1];
  return [
    ...lines.slice(0, banner),
    ...lines.slice(banner, zones),
    ...srat,
    ...lines.slice(zones).filter((line) => !/^ {2}node/.test(line)),
    ...early,
    ...Array.from(
      { length: count / 10 },
      (_, index) => `On node 0, zone DMA32: ${index + 1} pages in unavailable ranges`,
    ),
    'Node 0, zone    DMA32',
    '        spanned  1',
    '        present  1',
    '        managed  1',
  ];
}

const PAGETYPES = `Page block order: 9
Pages per block:  512

Free pages count per migrate type at order       0
Node    0, zone    DMA32, type    Unmovable      1

Number of blocks type     Unmovable      Movable
Node 0, zone    DMA32            1         1
`;

function iomem(count) {
  const ranges = alternating(count, 0x40000000);
  return ranges
    .map(
      (one) =>
        `${hex(one.start).slice(2)}-${hex(one.end - 1).slice(2)} : ${one.usable ? 'System RAM' : 'reserved'}\n`,
    )
    .join('');
}

function efi(count) {
  const ranges = alternating(count, 0x40000000);
  return [
    'Linux version 6.12.0 (a@b) (aarch64-linux-gnu-gcc) #1 SMP',
    'Machine model: linux,dummy-virt',
    'CPU features: detected: 32-bit EL0 Support',
    'Kernel command line: quiet',
    ...ranges.map(
      (one) =>
        `efi:   ${hex(one.start)}-${hex(one.end - 1)} [${one.usable ? 'Conventional Memory' : 'Runtime Data'}|   |  |  |  |  |  |  |  |  |   |WB|WT|WC|UC]`,
    ),
    ...zoneLines(ranges, 0x40000000),
  ];
}

function read(text) {
  const result = parseDescription(text, { name: 'counted' });
  if (!result.ok) throw new Error(result.problems.at(-1)?.message);
  return result.description;
}

function described(lines, ...files) {
  const log = read(lines.map((line) => `[    0.000000] ${line}\n`).join(''));
  return files.length === 0 ? log : mergeDescriptions(log, ...files.map(read));
}

const check = (lines, ...files) => {
  const description = described(lines, ...files);
  const report = checkMachine({ description, source: 'counted', notes: [] });
  if (report.rejected !== undefined) throw new Error(report.rejected);
};
const boot = (lines, ...files) => {
  const plan = planLayout(described(lines, ...files));
  planPages(plan, handover(plan).memblock, true);
};

/** A description in JSON all of whose ranges end before they start. */
function badRanges(count) {
  const machine = synthesize({ memory: '1G' });
  const [entry] = machine.firmware.map;
  const map = Array.from({ length: count }, () => ({ ...entry, start: 2 ** 30, end: 2 ** 20 }));
  return toJson({ ...machine, firmware: { ...machine.firmware, map } });
}

const WORK = {
  'description with bad ranges': (size) => {
    if (fromJson(badRanges(size)).ok) throw new Error('bad ranges are read');
  },
  'check of an e820 map': (size) => check(e820(size)),
  'check of an EFI map': (size) => check(efi(size)),
  'check with nodes, blocks and lost lines': (size) => check(withNodes(size), PAGETYPES),
  'check of an iomem': (size) =>
    check(
      efi(2).filter((line) => !line.startsWith('efi')),
      iomem(size),
    ),
  'account of an e820 map': (size) =>
    explainMachine({ description: described(e820(size)), source: 'counted', notes: [] }),
  'plan with nodes': (size) => boot(withNodes(size)),
  'another boot of faked nodes': (size) => {
    // Up to 1020 of them, of 128 MiB each.
    const count = Math.floor(0.85 * size);
    const lines = [
      'Linux version 6.12.0 (a@b) #1 SMP',
      `Command line: numa=fake=${count}`,
      `BIOS-e820: ${range(0x1000, 0x9f000)} usable`,
      `BIOS-e820: ${range(0x100000, 2 ** 27 * count)} usable`,
    ];
    whatIf({ description: described(lines), source: 'counted', notes: [] }, { add: ['quiet'] });
  },
  'plan of an e820 map': (size) => boot(e820(size)),
  'plan of an EFI map': (size) => boot(efi(size).filter((line) => !/^ {2}node/.test(line))),
};

/** What one piece of memory at the end of a hole costs, and memory that fills it: sizes are in TiB, and neither counts. */
const FAR = {
  'faked nodes around a hole': (tib) =>
    boot([
      'Linux version 6.12.0 (a@b) #1 SMP',
      'Command line: numa=fake=64M',
      `BIOS-e820: ${range(0x100000, 2 ** 30)} usable`,
      `BIOS-e820: ${range(tib * 2 ** 40, tib * 2 ** 40 + 2 ** 27)} usable`,
    ]),
  'pageblocks of a zone': (tib) =>
    check(
      [
        'Linux version 6.12.0 (a@b) #1 SMP',
        'Command line: quiet',
        `BIOS-e820: ${range(0x100000, 2 ** 30)} usable`,
        `BIOS-e820: ${range(tib * 2 ** 40, tib * 2 ** 40 + 2 ** 27)} usable`,
      ],
      ['Node 0, zone   Normal', '  pages free 1', '        managed  1', ''].join('\n'),
      PAGETYPES.replaceAll('DMA32', 'Normal'),
    ),
  'layout of sections in a row': (tib) =>
    planLayout(
      described([
        'Linux version 6.12.0 (a@b) #1 SMP',
        `BIOS-e820: ${range(0x100000, tib * 2 ** 40)} usable`,
      ]),
    ),
};

const isOwn = ({ url }) => url.includes('/packages/');

/** Executions of every block while `work` runs. */
async function count(work) {
  await session.post('Profiler.takePreciseCoverage');
  work();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const blocks = result.filter(isOwn).flatMap((script) =>
    script.functions.flatMap(({ functionName, ranges }) =>
      ranges.map((one, index) => ({
        name: `${script.url.split('/').slice(-2).join('/')} ${functionName} ${index}`,
        count: one.count,
      })),
    ),
  );
  return blocks;
}

const [kind, ...words] = process.argv.slice(2);
const sizes = words.map(Number);
const result = {};
for (const [name, work] of Object.entries(kind === 'far' ? FAR : WORK)) {
  result[name] = {};
  // What is worked out once for all is no part of the growth.
  if (kind === 'many') work(40);
  for (const size of sizes) {
    const blocks = await count(() => work(size));
    blocks.sort((left, right) => right.count - left.count);
    result[name][size] = {
      all: blocks.reduce((sum, one) => sum + one.count, 0),
      most: blocks.slice(0, 3),
    };
  }
}
console.log(JSON.stringify(result));
