/**
 * Lines of `memblock=debug` that no kernel would print in this order: operations on anything, requests that lead to nothing, dumps that do not
 * fit, and files of /proc behind a map that reaches far.
 */
import type { Random } from '../../../kit/random.mjs';

const hex = (value: number): string => `0x${value.toString(16).padStart(16, '0')}`;
/** Amounts that borders lie at. */
const UNITS = [1, 4096, 2 ** 21, 2 ** 27, 2 ** 30, 2 ** 33, 2 ** 40, 2 ** 46];

function range(random: Random): { start: number; end: number } {
  const start = random.below(64) * random.pick(UNITS);
  return { start, end: start + (1 + random.below(64)) * random.pick(UNITS) };
}

function operation(random: Random): string[] {
  const { start, end } = range(random);
  const place = `[${hex(start)}-${hex(end - 1)}]`;
  const caller = random.pick(['setup_arch+0x1/0x2', 'memblock_alloc_range_nid+0x1/0x2', '']);
  const node = random.pick(['', ' nid=0', ' nid=1', ' nid=1023', ' nid=-1']);
  const ask = (): string =>
    `memblock_alloc_try_nid: ${end - start} bytes align=${hex(random.pick(UNITS)).replace(/^0x0*/, '0x')}` +
    ` nid=${random.below(4) - 1} from=${hex(0)} max_addr=${hex(random.once(2) ? 0 : end)} ${caller}`;
  return random.pick([
    [`memblock_add: ${place}${node} ${caller}`],
    [`memblock_reserve: ${place}${node} flags 0x${random.below(32).toString(16)} ${caller}`],
    [ask(), `memblock_reserve: ${place} memblock_alloc_range_nid+0x1/0x2`],
    [ask()],
    [`memblock_free: ${place} ${caller}`],
    [`memblock_free_late: ${place} ${caller}`],
    [`memblock_remove: ${place} ${caller}`],
    [`memblock: reserved is doubled to 256 at ${place}`],
    ['memblock_phys_free:'],
  ]);
}

function dump(random: Random): string[] {
  const regions = (list: string): string[] => {
    const count = random.below(5);
    return [
      ` ${list}.cnt  = 0x${(random.once(6) ? count + 1 : count).toString(16)}`,
      ...Array.from({ length: count }, (_, index) => {
        const start = index * 2 ** 31 + 4096 * (1 + random.below(99));
        const end = start + 4096 * (1 + random.below(2 ** 18));
        const node = random.once(3) ? ` on node ${random.pick([0, 1, 1024])}` : '';
        return ` ${list}[0x${index.toString(16)}]\t[${hex(start)}-${hex(end - 1)}], ${hex(end - start)} bytes${node} flags: 0x${random.below(16).toString(16)}`;
      }),
    ];
  };
  return [
    'MEMBLOCK configuration:',
    ` memory size = ${hex(random.next())} reserved size = ${hex(random.next())}`,
    ...regions('memory'),
    ...regions('reserved'),
  ];
}

/** A log with such lines. */
export function debugLines(random: Random): string[] {
  const end = random.pick(UNITS.slice(4)) * (1 + random.below(3));
  const lines = [
    `Linux version ${random.pick(['3.10.0', '4.19.0', '5.4.0', '6.1.0', '6.12.0', '6.16.0', '7.3.0'])} (a@b) #1 SMP`,
    `Command line: ro memblock=debug ${random.pick(['', 'movable_node', 'crashkernel=256M', 'numa=fake=4', 'nokaslr', 'mem=2G'])}`,
    `BIOS-e820: [mem ${hex(4096)}-${hex(0x9efff)}] usable`,
    `BIOS-e820: [mem ${hex(2 ** 20)}-${hex(2 ** 20 + end - 1)}] usable`,
    ...dump(random),
    ...Array.from({ length: random.below(random.once(9) ? 900 : 60) }, () =>
      operation(random),
    ).flat(),
    ...(random.once(4) ? [] : dump(random)),
    ...Array.from({ length: random.below(12) }, () => operation(random)).flat(),
    ...(random.once(3) ? dump(random) : []),
  ];
  return lines.map((line) => `[    0.000000] ${line}`);
}

/** What /proc says behind a map: zones and pageblocks, as far as they go. */
export function procLines(random: Random): string[] {
  const zones = ['DMA', 'DMA32', 'Normal', 'Movable', 'Device'];
  const rows = Array.from({ length: 1 + random.below(8) }, () => ({
    nid: random.pick([0, 0, 0, 1, 1023]),
    zone: random.pick(zones),
  }));
  const pages = (): number => random.below(1000) * random.pick([1, 512, 2 ** 18, 2 ** 32]);
  return [
    ...rows.flatMap(({ nid, zone }) => [
      `Node ${nid}, zone ${zone.padStart(8)}`,
      `  pages free     ${pages()}`,
      `        min      ${pages()}`,
      `        low      ${pages()}`,
      `        high     ${pages()}`,
      `        spanned  ${pages()}`,
      `        present  ${pages()}`,
      `        managed  ${pages()}`,
      `  start_pfn:           ${pages()}`,
    ]),
    'Page block order: 9',
    `Pages per block:  ${random.pick(['512', '1', '0', '1024', '99999999999'])}`,
    '',
    'Number of blocks type     Unmovable      Movable',
    ...rows.map(({ nid, zone }) => `Node ${nid}, zone ${zone.padStart(8)} ${pages()} ${pages()}`),
  ];
}
