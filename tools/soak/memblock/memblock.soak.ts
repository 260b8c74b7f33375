/**
 * Random operations at thousands of regions, in lockstep with a map of cells.
 *
 * `npm run soak -- memblock` ends after so many operations or minutes, whichever comes first. Answers are
 * compared at every operation, both lists every 2000, and `verify()` runs with them. The mix of
 * additions and removals is steered so that the number of reservations swings between 5 000 and 20 000.
 */
import { Memblock, MemFlags } from '@bootmem/memblock';
import { CellMap, word, type CellQuery } from '../../../packages/memblock/test/model/cell-map.js';
import { firstDifference } from '../../../packages/memblock/test/model/compare.js';
import { integer, number, readOptions } from '../../kit/options.js';
import { Random } from '../../kit/random.mjs';
import { RunLog } from '../../kit/run-log.js';

const { operations, minutes, seed } = readOptions(
  { name: 'soak -- memblock', about: 'Random operations in lockstep with a map of cells.' },
  {
    operations: integer(1_000_000, 'default 1000000'),
    minutes: number(60, 'ends after so many at the latest, default 60'),
    seed: integer(1, 'default 1'),
  },
).values;

const CELLS = 1 << 17;
const SCALE = { origin: 1 << 16, cell: 256 };
const CHECK_EVERY = 2000;
const FEW = 5_000;
const MANY = 20_000;

const random = new Random(seed);
const log = new RunLog('memblock');
const memblock = new Memblock({ maxNodes: 64, mirroredKernelcore: true });
const map = new CellMap(CELLS);
const plainMemory = word(0, 64);
const plainReserved = word(0, -1);
const taken = word(MemFlags.RSRV_KERN, -1);
let growing = true;

function violation(text: string): void {
  log.fault(`operation ${log.done}: ${text}`);
}

const at = (cell: number): number => SCALE.origin + cell * SCALE.cell;
const length = (): number => (random.below(8) === 0 ? 1 + random.below(64) : 1 + random.below(4));

memblock.add(at(0), CELLS * SCALE.cell);
map.fill(map.memory, 0, CELLS, plainMemory);

function editReserved(): void {
  // Every other cell alone while growing, so that reservations do not join.
  const from = growing ? random.below(CELLS) | 1 : random.below(CELLS);
  const to = Math.min(CELLS, from + (growing ? 1 : length()));
  const base = at(from);
  const size = (to - from) * SCALE.cell;
  if (random.below(100) < (growing ? 90 : 10)) {
    memblock.reserve(base, size);
    map.fill(map.reserved, from, to, plainReserved);
  } else {
    memblock.free(base, size);
    map.cut(map.reserved, from, to);
  }
}

function editMemory(): void {
  const from = random.below(CELLS);
  const to = Math.min(CELLS, from + length() * (random.below(16) === 0 ? 32 : 1));
  const base = at(from);
  const size = (to - from) * SCALE.cell;
  const flag = [MemFlags.HOTPLUG, MemFlags.MIRROR, MemFlags.NOMAP][random.below(3)]!;
  switch (random.below(6)) {
    case 0:
      memblock.add(base, size);
      map.fill(map.memory, from, to, plainMemory);
      return;
    case 1:
      memblock.remove(base, size);
      map.cut(map.memory, from, to);
      return;
    case 2:
      memblock.mark(base, size, flag);
      map.flag(map.memory, from, to, flag, true);
      return;
    case 3:
      memblock.clear(base, size, flag);
      map.flag(map.memory, from, to, flag, false);
      return;
    case 4: {
      const nid = random.below(4);
      memblock.setNode(base, size, 'memory', nid);
      map.node(map.memory, from, to, nid);
      return;
    }
    default:
      memblock.mark(base, size, MemFlags.RSRV_NOINIT);
      map.flag(map.reserved, from, to, MemFlags.RSRV_NOINIT, true);
  }
}

function allocate(): void {
  const topDown = random.below(2) === 0;
  memblock.direction = topDown ? 'top-down' : 'bottom-up';
  const size = 1 + random.below(6);
  const align = 2 ** random.below(4);
  const from = random.below(CELLS - 4096);
  const to = from + 4096;
  const query: CellQuery = { flags: 0, nid: -1, movableNode: false };
  const wish: CellQuery = { ...query, flags: memblock.hasMirror ? MemFlags.MIRROR : 0 };
  const expected =
    map.find(size, align, from, to, wish, topDown) ??
    map.find(size, align, from, to, query, topDown);
  const got = memblock.allocRange(size * SCALE.cell, {
    align: align * SCALE.cell,
    start: at(from),
    end: at(to),
  });
  if (got !== (expected === undefined ? undefined : at(expected))) {
    violation(`allocated ${String(got)}, expected cell ${String(expected)}`);
  }
  if (expected !== undefined) map.fill(map.reserved, expected, expected + size, taken);
}

function ask(): void {
  const cell = random.below(CELLS);
  const address = at(cell) + random.below(SCALE.cell);
  if (memblock.isReserved(address) !== (map.reserved[cell] !== 0)) violation('isReserved differs');
  if (memblock.isMemory(address) !== (map.memory[cell] !== 0)) violation('isMemory differs');
  const to = Math.min(CELLS, cell + length());
  const overlap = map.reserved.subarray(cell, to).some((value) => value !== 0);
  if (memblock.overlaps('reserved', at(cell), (to - cell) * SCALE.cell) !== overlap) {
    violation('overlaps differs');
  }
}

function check(): void {
  const difference = firstDifference(memblock, map, SCALE);
  if (difference !== undefined) violation(difference);
  try {
    memblock.verify();
  } catch (error) {
    violation(String(error));
  }
  const free = map.free({ flags: 0, nid: -1, movableNode: false });
  let k = 0;
  memblock.forEachFreeRange((start, end, nid) => {
    // Between touching reservations that are not alike the walk yields an empty range.
    if (start === end) return;
    const want = free[k++];
    if (want === undefined || at(want.from) !== start || at(want.to) !== end || want.nid !== nid) {
      violation(`free range ${k - 1} differs`);
    }
  });
  if (k !== free.length) violation(`${k} free ranges, expected ${free.length}`);
}

let least = Infinity;
let most = 0;
let mostMemory = 0;
while (log.done < operations && !log.over(minutes)) {
  for (let k = 0; k < CHECK_EVERY && log.done < operations; k++, log.done++) {
    const kind = random.below(100);
    if (kind < 70) editReserved();
    else if (kind < 80) editMemory();
    else if (kind < 85) allocate();
    else ask();
  }
  const count = memblock.regionCount('reserved');
  if (count > MANY) growing = false;
  if (count < FEW) growing = true;
  if (log.done > 100_000) {
    least = Math.min(least, count);
    most = Math.max(most, count);
    mostMemory = Math.max(mostMemory, memblock.regionCount('memory'));
  }
  check();
  log.tick(`${memblock.regionCount('memory')} + ${count} regions`);
}
check();
console.log(
  `seed ${seed}; ${least} to ${most} reservations, up to ${mostMemory} regions of memory`,
);
log.finish();
