// The largest inputs that are admitted, by what they hold most of: as many records of a kind as are kept, or a whole log in one
// line of JSON.
import { parseDescription, toJson } from '@bootmem/firmware-map';

/** Records of one kind that are kept. */
export const MOST_RECORDS = 2 ** 17;

const hex = (value) => `0x${value.toString(16).padStart(16, '0')}`;
const range = (start, end) => `[mem ${hex(start)}-${hex(end - 1)}]`;
const times = (count, line) => Array.from({ length: count }, (_, index) => line(index));
const BANNER = ['Linux version 6.12.0 (a@b) #1 SMP', 'Command line: quiet'];

const log = (lines) => lines.map((line) => `[    0.000000] ${line}\n`).join('');

/** Where entry `index` begins: pages of memory with a reserved page between any two. */
const place = (index) => 0x100000 + index * 0x8000;
const usable = (index) => ({
  start: place(index),
  end: place(index) + (index % 2 === 0 ? 0x8000 : 0x4000),
});

function entries(count) {
  return times(count, (index) => {
    const { start, end } = usable(index);
    return `BIOS-e820: ${range(start, end)} ${index % 2 === 0 ? 'usable' : 'reserved'}`;
  });
}

function earlyRanges(count, nid = () => 0) {
  return times(count >> 1, (index) => {
    const { start, end } = usable(2 * index);
    return `  node ${String(nid(2 * index)).padStart(3)}: ${range(start, end)}`;
  });
}

function zones(count) {
  return [
    'Zone ranges:',
    `  DMA32    ${range(0x1000, 2 ** 32)}`,
    `  Normal   ${range(2 ** 32, Math.max(place(count), 2 ** 32 + 2 ** 20))}`,
  ];
}

const e820 = (count) => [
  ...BANNER,
  ...entries(count),
  `last_pfn = ${hex(place(count) / 4096)} max_arch_pfn = 0x400000000`,
  ...zones(count),
  'Early memory node ranges',
  ...earlyRanges(count),
];

/** As many blocks of nodes as entries, and edits of the map. */
const nodes = (count) => {
  const each = Math.ceil(count / 1024);
  const nid = (index) => Math.floor(index / each);
  return [
    ...BANNER,
    ...entries(count),
    ...times(
      count,
      (index) => `e820: update ${range(place(index), place(index) + 0x1000)} usable ==> reserved`,
    ),
    `last_pfn = ${hex(place(count) / 4096)} max_arch_pfn = 0x400000000`,
    ...times(
      count,
      (index) =>
        `ACPI: SRAT: Node ${nid(index)} PXM ${nid(index)} ${range(place(index), place(index + 1))}`,
    ),
    ...times(
      count,
      (index) =>
        `ACPI: SRAT: PXM ${nid(index)} -> APIC 0x${index.toString(16)} -> Node ${nid(index)}`,
    ),
    ...zones(count),
    'Early memory node ranges',
    ...earlyRanges(count, nid),
    ...times(8192, (index) => `Initmem setup node ${index % 1024} ${range(0x1000, place(count))}`),
    ...times(8192, (index) => `On node ${index % 1024} totalpages: ${index}`),
    ...times(count, (index) => `On node 0, zone Normal: ${index + 1} pages in unavailable ranges`),
  ];
};

const dump = (count) => [
  'MEMBLOCK configuration:',
  ' memory size = 0x0000000040000000 reserved size = 0x0000000001000000',
  ' memory.cnt  = 0x1',
  ` memory[0x0]\t[${hex(0x1000)}-${hex(place(count) - 1)}], ${hex(place(count) - 0x1000)} bytes flags: 0x0`,
  ' reserved.cnt  = 0x1',
  ` reserved[0x0]\t[${hex(0x1000)}-${hex(0x1fff)}], 0x1000 bytes flags: 0x0`,
];

/** As many operations as are kept: half of them ask, the other half say what they got. */
const memblock = (count) => [
  ...BANNER,
  `BIOS-e820: ${range(0x1000, place(count))} usable`,
  `last_pfn = ${hex(place(count) / 4096)} max_arch_pfn = 0x400000000`,
  ...dump(count),
  ...times(count >> 1, (index) => [
    `memblock_alloc_try_nid: 4096 bytes align=0x1000 nid=-1 from=0x0 max_addr=0x0 f${index}+0x1/0x2`,
    `memblock_reserve: [${hex(place(count - index) - 0x8000)}-${hex(place(count - index) - 0x7001)}] memblock_alloc_range_nid+0x1/0x2`,
  ]).flat(),
  ...dump(count),
  ...zones(count),
];

const efi = (count) => [
  'Linux version 6.12.0 (a@b) (aarch64-linux-gnu-gcc) #1 SMP',
  'Machine model: linux,dummy-virt',
  'CPU features: detected: 32-bit EL0 Support',
  'Kernel command line: quiet',
  ...times(count, (index) => {
    const { start, end } = usable(index);
    const kind = index % 2 === 0 ? 'Conventional Memory' : 'Runtime Data';
    return `efi:   ${hex(start)}-${hex(end - 1)} [${kind}|   |  |  |  |  |  |  |  |  |   |WB|WT|WC|UC]`;
  }),
  'Early memory node ranges',
  ...earlyRanges(count),
];

const zoneinfo = (count) =>
  times(count, (index) =>
    [
      `Node ${index % 1024}, zone   Normal`,
      `  pages free     ${index}`,
      '        min      1',
      '        low      2',
      '        high     3',
      '        spanned  1000',
      '        present  1000',
      '        managed  1000',
      `  start_pfn:           ${4096 + index * 1000}`,
    ].join('\n'),
  ).join('\n');

const description = (lines) => {
  const result = parseDescription(log(lines), { name: 'large' });
  if (!result.ok) throw new Error(result.problems.at(-1)?.message);
  return result.description;
};

/** By name; each takes a number of records. */
export const LARGEST = {
  e820: (count) => log(e820(count)),
  nodes: (count) => log(nodes(count)),
  memblock: (count) => log(memblock(count)),
  efi: (count) => log(efi(count)),
  zoneinfo: (count) => zoneinfo(Math.min(count, 8192)),
  description: (count) => toJson(description(e820(count))),
  'bad description': (count) => {
    const machine = description(e820(count));
    const map = machine.firmware.map.map(({ start, end, ...rest }) => ({
      start: end,
      end: start,
      ...rest,
    }));
    return toJson({ ...machine, firmware: { ...machine.firmware, map } });
  },
  'log in a member': (count) => JSON.stringify({ status: 'ok', log: log(e820(count)) }),
  'list of lines': (count) => `${JSON.stringify(e820(count).map((line) => ({ msg: line })))}\n`,
  'texts in JSON': (count) => JSON.stringify({ output: { console: log(e820(count)) } }),
  'other lines': (count) =>
    `${'[    1.000000] systemd[1]: Started a service\n'.repeat(count)}${log(e820(8))}`,
};
