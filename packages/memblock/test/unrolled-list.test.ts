// The list below the regions, edited by place: against a plain array, and its own invariants after every edit.
import { expect, test } from '@jest/globals';
import { Random } from '../../../tools/kit/random.mjs';
import { CHUNK_SIZE } from '../dist/list/chunk-slots.js';
import { EntryBuffer } from '../dist/list/entry-buffer.js';
import { UnrolledList } from '../dist/list/unrolled-list.js';

/** base, end, attributes. */
type Entry = readonly [base: number, end: number, attr: number];

const entry = (k: number, size = 3): Entry => [k * 10, k * 10 + size, k % 7];

/** What is in the list, read as a walk reads it. */
function entries(list: UnrolledList): Entry[] {
  const found: Entry[] = [];
  for (let d = 0; d < list.chunks; d++) {
    for (let i = 0; i < list.chunkCount(d); i++) {
      const p = list.slotIndex(d, i);
      found.push([list.base[p]!, list.end[p]!, list.attr[p]!]);
    }
  }
  return found;
}

/** What is wrong with the directory or a chunk. */
function faultOf(list: UnrolledList): string | undefined {
  const slots = list.order.subarray(0, list.chunks);
  if (new Set(slots).size !== list.chunks) return 'a slot is in the directory twice';
  for (let d = 0; d < list.chunks; d++) {
    const filled = list.chunkCount(d);
    if (filled < 1 || filled > CHUNK_SIZE) return `chunk ${d} has ${filled} entries`;
    const from = list.slotIndex(d, 0);
    if (list.first[d] !== list.base[from]) return `chunk ${d} is filed under another base`;
    let gap = 0;
    for (let p = from + 1; p < from + filled; p++)
      gap = Math.max(gap, list.base[p]! - list.end[p - 1]!);
    if (list.widestGapIn(d) !== gap) return `the widest gap of chunk ${d} is wrong`;
  }
  return undefined;
}

function expectSound(list: UnrolledList, expected: readonly Entry[]): void {
  expect(faultOf(list)).toBeUndefined();
  expect(list.count).toBe(expected.length);
  expect(entries(list)).toEqual(expected);
}

function bufferOf(all: readonly Entry[]): EntryBuffer {
  const buffer = new EntryBuffer();
  for (const one of all) buffer.push(...one);
  return buffer;
}

function listOf(all: readonly Entry[]): UnrolledList {
  const list = new UnrolledList();
  list.replaceAll(bufferOf(all));
  return list;
}

const numbers = (count: number, from = 0): Entry[] =>
  Array.from({ length: count }, (_item, k) => entry(from + k));

test('entries that come in ascending order fill every chunk', () => {
  const list = new UnrolledList();
  const all = numbers(3 * CHUNK_SIZE + 1);
  for (const one of all) list.insertAt(list.chunks, 0, ...one);
  expectSound(list, all);
  expect(list.chunks).toBe(4);
});

test('a full chunk is split where an entry comes in between', () => {
  for (const i of [0, CHUNK_SIZE / 2, CHUNK_SIZE / 2 + 1, CHUNK_SIZE - 1]) {
    const all = numbers(CHUNK_SIZE, 1);
    const list = new UnrolledList();
    for (const one of all) list.insertAt(list.chunks, 0, ...one);
    const added: Entry = [all[i]![0] - 5, all[i]![0] - 4, 9];
    list.insertAt(0, i, ...added);
    expectSound(list, all.toSpliced(i, 0, added));
    expect(list.chunks).toBe(2);
  }
});

test('chunks that have become small are joined, and their slots used again', () => {
  const list = listOf(numbers(8 * CHUNK_SIZE));
  const chunks = list.chunks;
  // One in 48 stays: two or three of each chunk.
  const all = numbers(8 * CHUNK_SIZE).filter((_entry, k) => k % 48 === 0);
  for (let k = 8 * CHUNK_SIZE - 1; k >= 0; k--) {
    if (k % 48 === 0) continue;
    list.placeOf(k);
    list.removeAt(list.at.d, list.at.i);
  }
  expectSound(list, all);
  expect(list.chunks).toBeLessThan(chunks / 2);
  const room = list.filled.length;
  for (const one of numbers(4 * CHUNK_SIZE, 10_000)) {
    list.insertAt(list.chunks, 0, ...one);
    all.push(one);
  }
  expectSound(list, all);
  expect(list.filled.length).toBe(room);
});

test('a cursor sees every edit by the version', () => {
  const list = listOf(numbers(3));
  const seen = new Set([list.version]);
  const edits = [
    (): void => {
      list.setBase(0, 1, 9);
    },
    (): void => {
      list.setEnd(0, 1, 14);
    },
    (): void => {
      list.insertAt(0, 0, -5, -4, 0);
    },
    (): void => {
      list.removeAt(0, 0);
    },
    (): void => {
      list.replace(0, 0, 1, bufferOf([entry(0, 1)]));
    },
    (): void => {
      list.replaceAll(bufferOf(numbers(2)));
    },
  ];
  for (const edit of edits) {
    edit();
    seen.add(list.version);
  }
  expect(seen.size).toBe(edits.length + 1);
});

test.each([1, 2, 3])(
  'random edits leave what the same edits leave of an array, seed %i',
  (seed) => {
    const random = new Random(seed);
    const list = new UnrolledList();
    // Numbers in steps, so that a window can be replaced by entries that fit in between.
    let all: Entry[] = [];
    const between = (index: number, removed: number, count: number): Entry[] => {
      const low = index === 0 ? -1_000_000 : all[index - 1]![1];
      const high = index + removed < all.length ? all[index + removed]![0] : 1_000_000_000;
      const step = (high - low) / (count + 1);
      return Array.from({ length: count }, (_item, k) => {
        const base = low + step * (k + 0.5);
        return [base, base + step / 4, random.below(5)] as const;
      });
    };
    for (let round = 0; round < 400; round++) {
      const index = random.below(all.length + 1);
      const most = Math.min(all.length - index, random.once(10) ? 300 : 4);
      const removed = random.below(most + 1);
      list.placeOf(index);
      const { d, i } = list.at;
      const kind = random.below(4);
      if (kind === 0 && index < all.length) {
        list.removeAt(d, i);
        all = all.toSpliced(index, 1);
      } else if (kind === 1) {
        const [added] = between(index, 0, 1) as [Entry];
        list.insertAt(d, i, ...added);
        all = all.toSpliced(index, 0, added);
      } else {
        const added = between(index, removed, random.below(random.once(10) ? 400 : 5));
        list.replace(d, i, removed, bufferOf(added));
        all = all.toSpliced(index, removed, ...added);
      }
      if (round % 10 === 0) expectSound(list, all);
    }
    expectSound(list, all);
  },
);
