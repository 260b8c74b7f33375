/**
 * `npm run bench -- page-metadata`: what an allocator takes beside the memory it manages, in bytes a page, and how much
 * of the memory its threads' caches may hold. Measures no time: the numbers are the same on every machine.
 */
import { BuddyAllocator } from '@bootmem/buddy-allocator';
import { benchOptions } from '../../kit/options.js';
import { Samples } from '../../kit/samples.js';
import { printTable } from '../../kit/table.js';

const PAGE = 4096;
const MOST_AT_64_MIB = 24;
const CASES = [
  { mib: 8, threads: 16 },
  { mib: 64, threads: 16 },
  { mib: 64, threads: 64 },
  { mib: 80, threads: 16 },
  { mib: 1024, threads: 16 },
  { mib: 16384, threads: 16 },
] as const;

interface Parts {
  readonly descriptors: number;
  readonly caches: number;
  readonly total: number;
}

/** Bytes a page, from the buffers that a snapshot without the data copies. */
function partsOf(mib: number, threads: number): Parts {
  const pages = mib * (2 ** 20 / PAGE);
  const allocator = BuddyAllocator.create({ pages, threads, data: null });
  const { table, bytes, links, refs, control, threads: ids } = allocator.snapshot({ data: false });
  const sum = (buffers: readonly ArrayBuffer[]): number =>
    buffers.reduce((total, buffer) => total + buffer.byteLength, 0) / pages;
  const descriptors = sum([table, bytes, links, refs]);
  const caches = sum([control, ids]);
  return { descriptors, caches, total: descriptors + caches };
}

const { json } = benchOptions(
  'page-metadata',
  `Bytes of metadata a page; fails above ${MOST_AT_64_MIB} at 64 MiB with 16 threads.`,
  [],
  {},
);
const samples = new Samples('page-metadata');
const rows = CASES.map(({ mib, threads }) => {
  const name = `${mib} MiB, ${threads} threads`;
  const parts = partsOf(mib, threads);
  for (const [metric, value] of Object.entries(parts)) {
    samples.add(name, 'bootmem', metric, 'bytes a page', value as number);
  }
  return [
    `${mib} MiB`,
    String(threads),
    parts.descriptors.toFixed(1),
    parts.caches.toFixed(1),
    parts.total.toFixed(1),
  ];
});
if (json) samples.print({ json });
else {
  printTable(
    'page-metadata: bytes beside each page of 4096',
    ['memory', 'threads', 'descriptors', 'lists and caches', 'together'],
    rows,
  );
}
process.exitCode =
  samples.median('64 MiB, 16 threads', 'bootmem', 'total') <= MOST_AT_64_MIB ? 0 : 1;
