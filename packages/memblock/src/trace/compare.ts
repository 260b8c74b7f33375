/**
 * What a kernel answered against what ours does: answers, printed texts, and states in every form that
 * a trace has them in (both lists, counts with a hash).
 */
import { hexAddress, plainHex } from '../base/notation.js';
import type { MemRegion, RegionType } from '../base/types.js';
import type { Memblock } from '../memblock.js';
import type { AnswerKind } from './operations.js';
import type { TraceOperation, TraceRegion, TraceState } from './schema.js';
import type { Translation } from './translation.js';

/** One thing that is not as recorded. */
export interface Mismatch {
  /** What differs: the answer, the state, the printed text, a warning, the way it ended. */
  readonly what: string;
  /** What was recorded. */
  readonly expected: string;
  /** What ours gives. */
  readonly got: string;
}

/** The words of a scenario as our numbers. */
export interface Words {
  readonly translation: Translation;
  readonly pageSize: number;
}

/** The answer of a call. */
export function compareAnswer(
  words: Words,
  { op, ret }: TraceOperation,
  answer: unknown,
  kind: AnswerKind,
): Mismatch | undefined {
  const expected = op === 'free_all' ? handoverOf(words, ret) : answerOf(words, ret, kind);
  const got = kind === 'pages' ? wrapPages(answer, words.pageSize) : answer;
  return unequal('answer', expected, got);
}

function answerOf(words: Words, value: unknown, kind: AnswerKind): unknown {
  if (typeof value === 'string') {
    return kind === 'pages'
      ? words.translation.pageToOurs(value, words.pageSize)
      : words.translation.toOurs(value);
  }
  if (Array.isArray(value)) return value.map((item) => answerOf(words, item, kind));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, answerOf(words, item, kind)]),
    );
  }
  return value;
}

function handoverOf(words: Words, value: unknown): unknown {
  const { pages, freed_calls, freed, reserved_init } = value as Record<string, unknown>;
  return {
    pages,
    freed_calls,
    freed: answerOf(words, freed, 'pages'),
    reserved_init: answerOf(words, reserved_init, 'address'),
  };
}

/** What a call printed, and whether it complained. */
export function compareText(
  words: Words,
  operation: TraceOperation,
  printed: string,
  complained: boolean,
): Mismatch | undefined {
  const expected = words.translation.textToOurs(operation.log ?? '', hexAddress);
  if (expected !== printed) return { what: 'text', expected, got: printed };
  // Both passes of an insertion complain in the kernel: only yes or no counts.
  return unequal('warning', (operation.warn ?? 0) > 0, complained);
}

/** Numbers of regions and totals, and a hash of both lists. */
export function compareCounts(
  { translation }: Words,
  { n, h }: TraceOperation,
  memblock: Memblock,
): Mismatch | undefined {
  if (n === undefined) return undefined;
  const [memoryCount, memoryTotal, reservedCount, reservedTotal] = n;
  const difference = unequal(
    'counts',
    [
      memoryCount,
      translation.toOurs(memoryTotal),
      reservedCount,
      translation.toOurs(reservedTotal),
    ],
    [
      memblock.regionCount('memory'),
      memblock.physMemSize,
      memblock.regionCount('reserved'),
      memblock.reservedSize,
    ],
  );
  // The hash is of the recorded words, which a mapping away from both ends changes.
  if (difference !== undefined || h === undefined || translation.usesAnchors) return difference;
  const hash = hashState(memblock);
  return hash === h ? undefined : { what: 'hash', expected: h, got: hash };
}

/** Both lists, region by region, their totals and the room of their arrays; `undefined`: empty lists. */
export function compareState(
  { translation }: Words,
  state: TraceState | undefined,
  memblock: Memblock,
): Mismatch | undefined {
  for (const type of ['memory', 'reserved'] as const) {
    const expected = regionsOf(translation, state?.[type] ?? []);
    const got = memblock.regions(type);
    for (let k = 0; k < Math.max(expected.length, got.length); k++) {
      const left = showRegion(expected[k]);
      const right = showRegion(got[k]);
      if (left !== right) {
        return { what: `${type}[${k}] of ${expected.length}`, expected: left, got: right };
      }
    }
  }
  if (state === undefined) return undefined;
  return unequal(
    'totals and room',
    [
      translation.toOurs(state.memory_total),
      translation.toOurs(state.reserved_total),
      state.memory_max,
      state.reserved_max,
    ],
    [
      memblock.physMemSize,
      memblock.reservedSize,
      memblock.arrayCapacity('memory'),
      memblock.arrayCapacity('reserved'),
    ],
  );
}

/** Recorded regions as ours. */
export function regionsOf(translation: Translation, regions: readonly TraceRegion[]): MemRegion[] {
  return regions.map(([base, size, flags, nid]) => ({
    base: translation.toOurs(base),
    size: translation.toOurs(size),
    flags,
    nid,
  }));
}

/** FNV-1a over the text form of both lists, as the trace format defines it. */
function hashState(memblock: Memblock): string {
  let hash = 0x811c9dc5;
  const feed = (text: string): void => {
    for (let k = 0; k < text.length; k++) {
      hash = Math.imul(hash ^ text.charCodeAt(k), 0x01000193);
    }
  };
  const feedList = (type: RegionType): void => {
    memblock.forEachRegion(type, (base, size, flags, nid) => {
      feed(`${base.toString(16)}:${size.toString(16)}:${flags}:${nid};`);
    });
  };
  feedList('memory');
  feed('|');
  feedList('reserved');
  return (hash >>> 0).toString(16).padStart(8, '0');
}

function unequal(what: string, expected: unknown, got: unknown): Mismatch | undefined {
  if (JSON.stringify(expected) === JSON.stringify(got)) return undefined;
  return { what, expected: readable(expected), got: readable(got) };
}

/** The kernel's page counts are unsigned words; ours may be below zero. */
function wrapPages(answer: unknown, pageSize: number): unknown {
  return typeof answer === 'number' && answer < 0 ? answer + 2 ** 53 / pageSize : answer;
}

function showRegion(region: MemRegion | undefined): string {
  if (region === undefined) return 'none';
  const end = region.base + region.size;
  return `[${plainHex(region.base)}, ${plainHex(end)}) flags ${region.flags} nid ${region.nid}`;
}

function readable(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'number' && item > 4096 ? plainHex(item) : item,
  );
}
