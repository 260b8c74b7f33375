/** Logs of machines that cannot be, or hardly: maps with ranges at every limit, nodes, early ranges, zones, options. */
import type { Random } from '../../../kit/random.mjs';

const hex = (value: bigint): string => `0x${value.toString(16).padStart(16, '0')}`;

/** Powers of two that limits lie at: pages, sections, zones, descriptors, address bits, numbers. */
const BITS = [
  0, 1, 12, 13, 15, 16, 20, 24, 27, 30, 31, 32, 36, 39, 40, 43, 46, 48, 51, 52, 53, 54, 63, 64,
];
const KINDS = [
  'usable',
  'usable',
  'usable',
  'reserved',
  'ACPI data',
  'ACPI NVS',
  'unusable',
  'persistent (type 12)',
  'soft reserved',
  'type 99',
];
const OPTIONS = [
  'mem=1G',
  'mem=0',
  'mem=16E',
  'memmap=exactmap',
  'memmap=64M$512M',
  'memmap=1G!1G',
  'kernelcore=50%',
  'movablecore=1G',
  'kernelcore=mirror',
  'movable_node',
  'numa=off',
  'numa=fake=3',
  'numa=fake=64M',
  'crashkernel=256M',
  'crashkernel=9999G',
  'hugepages=99999999',
  'hugepagesz=1G',
  'accept_memory=eager',
];
const VERSIONS = [
  '2.6.18',
  '2.6.32',
  '3.10.0',
  '4.19.0',
  '5.4.0',
  '6.1.0',
  '6.12.0',
  '7.3.0',
  '99.99',
];
const PREFIXES = ['[    0.000000] ', '', '<6>[    0.000000] '];

function place(random: Random): bigint {
  const around = BigInt(random.below(5) - 2) * (random.once(2) ? 1n : 4096n);
  const value = (1n << BigInt(random.pick(BITS))) + around;
  return value < 0n ? 0n : value;
}

function range(random: Random): string {
  const start = place(random);
  const size = place(random);
  return `[mem ${hex(start)}-${hex(random.once(20) ? size : start + size)}]`;
}

/** An orderly map, so that what follows it is looked at. */
function orderly(random: Random): string[] {
  let at = 0x1000n;
  return Array.from({ length: 1 + random.below(12) }, () => {
    const start = at;
    at += BigInt(1 + random.below(1 << 16)) * 4096n;
    const line = `BIOS-e820: [mem ${hex(start)}-${hex(at - 1n)}] ${random.pick(KINDS)}`;
    if (random.once(3)) at += BigInt(random.below(1 << 18)) * 4096n;
    return line;
  });
}

function manyOf(random: Random, most: number, line: () => string): string[] {
  return Array.from({ length: random.below(most) }, line);
}

/**
 * A log of some dozens of lines.
 * @param random  what decides
 */
export function hostileMap(random: Random): string {
  const node = (): number => random.below(random.once(4) ? 1100 : 3);
  const options = manyOf(random, 4, () => random.pick(OPTIONS)).join(' ');
  const entry = (): string => `BIOS-e820: ${range(random)} ${random.pick(KINDS)}`;
  const lines = [
    `Linux version ${random.pick(VERSIONS)} (a@b) #1 SMP`,
    `Command line: ro ${options}`,
    ...(random.once(3) ? [] : orderly(random)),
    ...manyOf(random, random.once(20) ? 400 : 6, entry),
    ...manyOf(random, 3, () => `ACPI: SRAT: Node ${node()} PXM ${node()} ${range(random)}`),
    ...(random.once(2)
      ? [
          'Zone ranges:',
          `  DMA      ${range(random)}`,
          `  Normal   ${random.once(2) ? 'empty' : range(random)}`,
        ]
      : []),
    ...(random.once(2)
      ? [
          'Early memory node ranges',
          ...manyOf(random, 5, () => `  node ${String(node()).padStart(3)}: ${range(random)}`),
        ]
      : []),
    ...manyOf(
      random,
      2,
      () => `On node ${node()}, zone Normal: ${random.next()} pages in unavailable ranges`,
    ),
    ...manyOf(
      random,
      2,
      () =>
        `Memory: ${random.next()}K/${random.next()}K available (1K kernel code, 1K rwdata, 1K rodata, 1K init, 1K bss, ${random.next()}K reserved, 0K cma-reserved)`,
    ),
    ...manyOf(random, 3, () => `memblock_reserve: ${range(random)} setup_arch+0x1/0x2`),
    ...manyOf(
      random,
      2,
      () =>
        `efi: mem00: [Conventional Memory|   |  |  |  |  |  |  |  |  |   |WB|WT|WC|UC] range=${range(random).slice(1)} (1MB)`,
    ),
  ];
  const prefix = random.pick(PREFIXES);
  return lines.map((line) => `${prefix}${line}\n`).join('');
}
