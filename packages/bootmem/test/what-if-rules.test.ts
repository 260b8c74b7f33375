import { expect, test } from '@jest/globals';
import { directMapTables } from '../dist/what-if/rerun/direct-map.js';
import type { DirectMapTraits } from '../dist/what-if/rerun/direct-map.js';
import {
  FILES_SCALE,
  hashTableBytes,
  NAMES_SCALE,
  nosaveRegions,
} from '../dist/what-if/rerun/small-tables.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const LOW = { start: MIB, end: 0xbffe0000 };
const PLAIN: DirectMapTraits = { bufferPages: 16, gibPages: false };
const IMAGE = 64 * MIB;

// memory   [1 MiB · image ······ 3 GiB − 128 KiB)     [4 GiB ········ top)
// tables    |0    |1            |2           |p        |4  |5  |…          p: the last 2 MiB, mapped page by page
test('what is mapped with the image in it takes its tables from what was mapped before', () => {
  const memory = [LOW, { start: 4 * GIB, end: 5 * GIB }];
  const tables = directMapTables({ memory, top: 5 * GIB, buffer: IMAGE, traits: PLAIN });
  // The second and third GiB, and the part; from 4.5 GiB on, which the second step mapped.
  expect(tables).toEqual(Array.from({ length: 3 }, () => ({ from: 4.5 * GIB, to: 5 * GIB })));
});

test('the buffer of the image serves until it is empty', () => {
  const memory = [LOW, { start: 4 * GIB, end: 65 * GIB }];
  const count = (traits: DirectMapTraits): number =>
    directMapTables({ memory, top: 65 * GIB, buffer: IMAGE, traits }).length;
  // Recorded: 51. 61 GiB above 4, of which one came first, 12 of the buffer's 16 were left.
  expect(count(PLAIN)).toBe(51);
  expect(count({ ...PLAIN, bufferPages: 6 })).toBe(61);
  // A GiB by one entry needs no table but where it is cut: the third and its end.
  expect(count({ ...PLAIN, gibPages: true })).toBe(2);
});

test('memory that ends below the first table’s reach needs none of memblock', () => {
  const tables = directMapTables({
    memory: [{ start: MIB, end: 2 * GIB }],
    top: 2 * GIB,
    buffer: IMAGE,
    traits: PLAIN,
  });
  expect(tables).toEqual([]);
});

// memory   [1 MiB · image ▏··▶ 3 GiB − 128 KiB)   [4 GiB ··▶ top)      then what is below the image's end
test('upwards, the buffer of the image serves, and tables lie above the image', () => {
  const memory = [LOW, { start: 4 * GIB, end: 65 * GIB }];
  const upwards = { memory, top: IMAGE, buffer: IMAGE - 1, isUpwards: true };
  const tables = directMapTables({ ...upwards, traits: { bufferPages: 6, gibPages: false } });
  // Of 1 + 3 + 61 tables of GiBs and one each for the first and the last 2 MiB below 3 GiB, 6 are in the buffer.
  expect(tables).toHaveLength(67 - 6);
  expect(new Set(tables.map(({ from }) => from))).toEqual(new Set([IMAGE]));
  expect(directMapTables({ ...upwards, memory: [LOW], traits: PLAIN })).toEqual([]);
});

// map      |rsv|usable ……|rsv|    |rsv|usable ………|rsv|   gap   |usable|
// records  [ 1 ]         [       2       ]        [     3     ]
test('stretches that hibernation leaves alone are joined where they touch', () => {
  const map = [
    { start: 0, end: 0x1000, kind: 'reserved' },
    { start: 0x1000, end: 0x9fc00, kind: 'usable' },
    { start: 0x9fc00, end: 0xa0000, kind: 'reserved' },
    { start: 0xf0000, end: 0x100000, kind: 'reserved' },
    { start: 0x100000, end: 0x7ffe0000, kind: 'usable' },
    { start: 0x7ffe0000, end: 0x80000000, kind: 'reserved' },
    { start: 0x100000000, end: 0x140000000, kind: 'usable' },
  ];
  expect(nosaveRegions(map, 0x140000)).toBe(3);
  // Below the end of memory only.
  expect(nosaveRegions(map, 0x7ffe0)).toBe(2);
});

test('tables grow with memory, half as fast beyond 64 GiB', () => {
  // Recorded: 4 GiB 4194304 and 2097152 bytes; 1000 MiB 1048576 and 524288.
  const bytes = (pages: number): number[] =>
    [NAMES_SCALE, FILES_SCALE].map((scale) => hashTableBytes(pages, scale));
  expect(bytes(1031904)).toEqual([4194304, 2097152]);
  expect(bytes(249846)).toEqual([1048576, 524288]);
  expect(bytes(2 ** 24)[0]! / bytes(2 ** 22)[0]!).toBe(4);
  expect(bytes(2 ** 26)[0]! / bytes(2 ** 24)[0]!).toBe(2);
});
