/**
 * Where reservations may lie when the kernel chooses its own place at random (KASLR).
 *
 * ```
 * memory   |· · · · [image?]· · · · · · · · · [image?]· · · · · |
 * a crash kernel        the highest room:      ◀ below it ▏     ◀ or at the top
 * ```
 * The image takes one stretch out of memory before anything else is asked for. With the image in the way of a request,
 * that lies below the image, and follows it as it moves; with the image elsewhere nothing changes. So the boot is worked
 * out again for the places of the image where one turns into the other (the ends of each reservation and of each
 * stretch that could hold it) and for some in between, and what is between two outcomes in one range of memory counts
 * as possible too.
 * @kernel choose_random_location, find_random_phys_addr
 */
import type { Steps } from '@bootmem/firmware-map/derive';
import type { ByteSpan } from '../explain-result.js';
import { stateOfBoot } from './boot-state.js';
import type { BootState } from './boot-state.js';
import { besideImage, ImageMove, imageOf } from './image.js';
import { asksOf } from './releases.js';
import type { RerunInput } from './rerun/types.js';

const MIB = 2 ** 20;
/** Places of the image are this far apart, and not below. */
const SLOT = 2 * MIB;
const LOWEST = 16 * MIB;
/** Boots that are worked out at most, and operations of all of them together, but for the least number of boots. */
const MAX_PLACES = 256;
const MAX_OPERATIONS = 2 ** 20;
const LEAST_PLACES = 8;
const STEPS_BETWEEN = 12;

/** What may become of one reservation. */
export interface RandomOutcome {
  /** Ascending, apart; every place lies in one of them. */
  readonly places: readonly ByteSpan[];
  /** A place of the image with which it fails. */
  readonly failsAt?: number;
  /** Fewest and most that are got, of things that are counted. */
  readonly least: number;
  readonly most: number;
}

/**
 * Works them out.
 * @param input  both machines
 * @param state  the other boot with the image where it is today
 * @returns by the name of the outcome, and `node data N`; `undefined` where the log does not show where the image lies
 * @remarks as many boots as the image has places that matter, 256 at most
 */
export function* randomPlaces(
  input: RerunInput,
  state: BootState,
): Steps<ReadonlyMap<string, RandomOutcome> | undefined> {
  const image = imageOf(input.today);
  if (image === undefined || input.other.description.architecture !== 'x86_64') return undefined;
  const outcomes = new Map<string, Seen>();
  note(outcomes, state, image.start);
  for (const start of placesOfImage(input, state, image)) {
    const move = new ImageMove(image, start - image.start);
    yield;
    note(outcomes, yield* stateOfBoot({ ...input, move }), start);
  }
  const memory = joined(input.other.derived.memory);
  return new Map(
    [...outcomes].map(([id, { ranges, failsAt, least, most }]) => [
      id,
      {
        places: memory.flatMap((range) => hull(ranges, range)),
        ...(failsAt === undefined || most === 0 ? {} : { failsAt }),
        least,
        most,
      },
    ]),
  );
}

interface Seen {
  readonly ranges: ByteSpan[];
  failsAt?: number;
  least: number;
  most: number;
}

function note(seen: Map<string, Seen>, { outcomes, nodeData }: BootState, image: number): void {
  const data = [...(nodeData ?? [])].map(
    ([nid, range]) => [`node data ${nid}`, [range], 1] as const,
  );
  const asked = outcomes.map(
    ({ id, ranges, asked: bytes, each = bytes }) => [id, ranges, bytes / each] as const,
  );
  for (const [id, ranges, wanted] of [...asked, ...data]) {
    const own = seen.get(id) ?? { ranges: [], least: Infinity, most: 0 };
    seen.set(id, own);
    own.ranges.push(...ranges);
    if (ranges.length < Math.min(wanted, own.least)) own.failsAt = image;
    own.least = Math.min(own.least, ranges.length);
    own.most = Math.max(own.most, ranges.length);
  }
}

/** All of some ranges that lie in one stretch of memory, and what is between them. */
function hull(ranges: readonly ByteSpan[], within: ByteSpan): ByteSpan[] {
  const own = ranges.filter(({ start }) => start >= within.start && start < within.end);
  if (own.length === 0) return [];
  const start = own.reduce((low, range) => Math.min(low, range.start), Infinity);
  const end = own.reduce((high, range) => Math.max(high, range.end), 0);
  return [{ start, end }];
}

function joined(ranges: readonly ByteSpan[]): ByteSpan[] {
  const result: { start: number; end: number }[] = [];
  for (const { start, end } of ranges) {
    const last = result.at(-1);
    if (last?.end === start) last.end = end;
    else result.push({ start, end });
  }
  return result;
}

/** Places of the image that matter. */
function placesOfImage(input: RerunInput, state: BootState, image: ByteSpan): number[] {
  const size = image.end - image.start;
  // Loaded before the kernel chooses, as is all else that the first dump shows.
  const { ramdisk } = input.today.description.printed;
  const others = besideImage(input.today, image);
  const top = asksOf(input.other.kernel.release).randomBelow;
  const slots = joined(input.other.derived.memory).flatMap(({ start, end }) => {
    const first = Math.ceil(Math.max(start, LOWEST) / SLOT) * SLOT;
    const last = Math.floor((Math.min(end, top) - size) / SLOT) * SLOT;
    return last < first ? [] : [{ first, last }];
  });
  const operations = Math.max(
    input.today.description.memblock.operations.length,
    state.description.memblock.operations.length,
  );
  const most = Math.min(
    MAX_PLACES,
    Math.max(LEAST_PLACES, Math.floor(MAX_OPERATIONS / operations)),
  );
  const found = new Set<number>();
  const add = (at: number): void => {
    if (found.size >= most) return;
    const place = Math.round(at / SLOT) * SLOT;
    const fits = slots.some(({ first, last }) => place >= first && place <= last);
    const meets = ramdisk !== undefined && place < ramdisk.end && place + size > ramdisk.start;
    if (fits && !meets && isFree(others, place, place + size)) found.add(place);
  };
  const around = (at: number): void => {
    for (const by of [-SLOT, 0, SLOT]) add(at + by);
  };
  for (const { first, last } of slots) {
    add(first);
    add(last);
  }
  for (const { ranges, asked, each = asked } of state.outcomes) {
    for (const { start, end } of ranges.slice(0, 8)) {
      around(start - size);
      around(end);
      spread(start - size, end, add);
    }
    // In the middle of a stretch the image may leave too little on either side.
    for (const stretch of stretches(state, image, ranges)) {
      if (stretch.end - stretch.start < each) continue;
      around(stretch.end - size - each);
      around(stretch.start + each);
      spread(stretch.end - size - each, stretch.start + each, add);
    }
  }
  for (const { base, size: bytes } of state.memblock.regions('reserved')) {
    if (bytes < SLOT) continue;
    add(base - size);
    add(base + bytes);
  }
  for (const { first, last } of slots) spread(first, last, add);
  return [...found];
}

/** Whether none of some ranges, ascending and apart, meets `[start, end)`. O(log n). */
function isFree(ranges: readonly ByteSpan[], start: number, end: number): boolean {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]!.end <= start) low = middle + 1;
    else high = middle;
  }
  return low === ranges.length || ranges[low]!.start >= end;
}

function spread(from: number, to: number, add: (at: number) => void): void {
  for (let step = 1; step < STEPS_BETWEEN; step++) {
    add(from + ((to - from) * step) / STEPS_BETWEEN);
  }
}

/** Free stretches as they are before a reservation, without the image. */
function stretches(
  { memblock }: BootState,
  image: ByteSpan,
  ranges: readonly ByteSpan[],
): ByteSpan[] {
  const free = [...memblock.freeRanges()].map(({ start, end }) => ({ start, end }));
  return joined([...free, image, ...ranges].sort((a, b) => a.start - b.start));
}
