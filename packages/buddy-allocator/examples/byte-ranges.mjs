// Use 5: which parts of a file are here? Region bookkeeping on its own, without any pages.
// Run: node examples/byte-ranges.mjs
import { Memblock } from '@bootmem/memblock';

const KiB = 1024;
const fileSize = 1024 * KiB;

// "Memory" is what should be here, "reserved" what already is: free ranges are what is missing.
const file = new Memblock();
file.add(0, fileSize);
for (const [from, to] of [
  [0, 64 * KiB],
  [64 * KiB, 128 * KiB], // merges with the first
  [512 * KiB, 640 * KiB],
]) {
  file.reserve(from, to - from);
}
file.free(4 * KiB, 4 * KiB); // a block failed its checksum

const show = (start, end) => `${start / KiB}-${end / KiB} KiB`;
console.log(
  'here:',
  file
    .regions('reserved')
    .map((r) => show(r.base, r.base + r.size))
    .join(', '),
);
console.log(
  'missing:',
  [...file.freeRanges()].map(({ start, end }) => show(start, end)).join(', '),
);

// The first gap in which a request of 256 KiB fits, aligned to its size.
file.direction = 'bottom-up';
const gap = file.findInRange(256 * KiB, { align: 256 * KiB, start: 0, end: fileSize });
console.log('next request of 256 KiB at', gap / KiB, 'KiB');
