/**
 * The shared words of one accept state. Attach checks them; nothing else is shared but the backend's memory.
 *
 * ```text
 * word 0        MAGIC                      written by create
 *      1        LAYOUT_VERSION             written by create
 *      2        cells per unit             written by create; 1 = units are not split
 *      3        flags                      written by create: the rules
 *      4        event                      atomic; grows by one whenever a unit becomes accepted
 *      5        participant slots          written by create
 *      6        waiting limit in ms        written by create
 *      7        unit count, as unsigned    written by create
 *      8        repair                     atomic; tag of the thread that redoes what the dead left, 0 = nobody
 *      9        handed over                atomic; 1 = the next stage has the table, nobody accepts or converts any more
 *      10 ..    slots, 4 words each        atomic, written by the slot's own thread: announcements.ts; slot 0 is unused
 *               claims bitmap              atomic, bits only go 0 -> 1: somebody has begun this cell
 *               done bitmap                atomic, bits only go 0 -> 1: this cell is prepared (absent without splitting)
 *               shared bitmap, by unit     atomic, by the unit's converter: convert-protocol.ts
 *               transit bitmap, by unit    atomic, by the unit's converter
 *               table                      header as in table.ts, then the bitmap: atomic, bits only go 1 -> 0
 * ```
 * A **cell** is the piece of a unit that one thread prepares: the whole unit, or 1/2 … 1/32 of it. The table
 * starts at a multiple of 8 bytes, so its bitmap (24 bytes further) can be read as words.
 *
 * Beside the buffer lie the words of the thread registry: who is alive.
 */
import { THREADS_FORMAT, ThreadRegistry, canShare } from '@bootmem/memmap/shared';
import type { HandleFormat, ThreadRegistryHandle } from '@bootmem/memmap/shared';
import { SLOT } from './announcements.js';
import { wordsFor } from './bitmap.js';
import type { Words } from './bitmap.js';
import { MAX_CELLS_PER_UNIT, MAX_PARTICIPANTS, TABLE_HEADER_BYTES } from '../base/constants.js';
import { AcceptError } from '../base/errors.js';
import { readHeader } from '../table/table.js';
import type { TableHeader } from '../table/table.js';

/** "UNAC" */
export const MAGIC = 0x554e4143;
/** Changes whenever the words below do. */
export const LAYOUT_VERSION = 4;

/** Word indices of the header. */
export const WORD = {
  MAGIC: 0,
  VERSION: 1,
  CELLS_PER_UNIT: 2,
  FLAGS: 3,
  EVENT: 4,
  SLOTS: 5,
  WAIT_LIMIT_MS: 6,
  UNIT_COUNT: 7,
  REPAIR: 8,
  HANDED_OVER: 9,
  FIRST_SLOT: 10,
} as const;

/** Bits of the flags word: the rules that all threads follow. */
export const FLAG = { GUARD: 1, PAGE_ALIGN: 2, KERNEL_WALK: 4 } as const;

/** Where everything lies, in words from the start of the buffer (`tableBytes` in bytes). */
export interface Layout {
  readonly slotCount: number;
  readonly cellsPerUnit: number;
  readonly unitCount: number;
  readonly claims: number;
  readonly done: number;
  readonly shared: number;
  readonly transit: number;
  readonly tableBytes: number;
  readonly byteLength: number;
}

/** Computes the layout. O(1). */
export function layoutOf(unitCount: number, cellsPerUnit: number, slotCount: number): Layout {
  const claims = WORD.FIRST_SLOT + (slotCount + 1) * SLOT.WORDS;
  const cellWords = wordsFor(unitCount * cellsPerUnit);
  const done = claims + cellWords;
  const shared = done + (cellsPerUnit === 1 ? 0 : cellWords);
  const transit = shared + wordsFor(unitCount);
  const end = transit + wordsFor(unitCount);
  const tableBytes = (end + (end % 2)) * 4;
  return {
    slotCount,
    cellsPerUnit,
    unitCount,
    claims,
    done,
    shared,
    transit,
    tableBytes,
    byteLength: tableBytes + TABLE_HEADER_BYTES + wordsFor(unitCount) * 4,
  };
}

/** The views that the protocol works on. */
export interface StateViews {
  readonly buffer: ArrayBufferLike;
  readonly threads: ThreadRegistryHandle;
  readonly words: Words;
  readonly claims: Words;
  readonly done: Words;
  readonly shared: Words;
  readonly transit: Words;
  readonly bits: Words;
  readonly header: TableHeader;
  readonly layout: Layout;
}

/** What is wrong with the header's numbers; undefined for nothing. */
function headerFault(words: Words, handle: Readonly<Record<string, unknown>>): string | undefined {
  const cells = words[WORD.CELLS_PER_UNIT]!;
  const slots = words[WORD.SLOTS]!;
  if (cells < 1 || cells > MAX_CELLS_PER_UNIT || (cells & (cells - 1)) !== 0) {
    return `its units have ${cells} pieces`;
  }
  if (slots < 1 || slots > MAX_PARTICIPANTS) return `it has ${slots} participant slots`;
  const backend = handle['backend'] as { readonly kind?: unknown } | null | undefined;
  return typeof backend?.kind === 'string' ? undefined : 'it names no backend';
}

/** Format of `UnacceptedMemoryHandle`. */
export const STATE_FORMAT: HandleFormat = {
  type: 'bootmem.unaccepted-memory',
  header: { field: 'buffer' },
  magic: MAGIC,
  version: LAYOUT_VERSION,
  headerWords: WORD.FIRST_SLOT,
  needs: (words, handle) =>
    headerFault(words, handle) ?? [
      { field: 'buffer', bytes: layoutFrom(words).byteLength, shared: canShare() },
    ],
  parts: { threads: THREADS_FORMAT },
};

/** Layout as the header states it. */
function layoutFrom(words: Words): Layout {
  return layoutOf(words[WORD.UNIT_COUNT]! >>> 0, words[WORD.CELLS_PER_UNIT]!, words[WORD.SLOTS]!);
}

/** Header of the table inside; it must say the same as the words in front. */
function tableHeader(buffer: ArrayBufferLike, layout: Layout): TableHeader {
  let header: TableHeader;
  try {
    header = readHeader(new Uint8Array(buffer, layout.tableBytes));
  } catch (cause) {
    throw new AcceptError('ERR_ACCEPT_HANDLE', 'its table cannot be read', {}, { cause });
  }
  if (header.unitCount === layout.unitCount) return header;
  throw new AcceptError('ERR_ACCEPT_HANDLE', 'its table has another number of units', {
    unitCount: header.unitCount,
    expected: layout.unitCount,
  });
}

/**
 * Opens the views over a buffer that `newState` filled, or that `checkHandle` has found to be one.
 * @throws ERR_ACCEPT_HANDLE when the table inside, or the registry beside it, does not fit the words in front
 */
export function openViews(buffer: ArrayBufferLike, threads: ThreadRegistryHandle): StateViews {
  const layout = layoutFrom(new Int32Array(buffer, 0, WORD.FIRST_SLOT));
  const { maxThreads } = ThreadRegistry.attach(threads);
  if (maxThreads !== layout.slotCount) {
    throw new AcceptError('ERR_ACCEPT_HANDLE', 'its registry is for another number of threads', {
      slots: layout.slotCount,
      threads: maxThreads,
    });
  }
  const header = tableHeader(buffer, layout);
  const cellWords = wordsFor(layout.unitCount * layout.cellsPerUnit);
  const unitWords = wordsFor(layout.unitCount);
  return {
    buffer,
    threads,
    words: new Int32Array(buffer, 0, layout.claims),
    claims: new Int32Array(buffer, layout.claims * 4, cellWords),
    done: new Int32Array(buffer, layout.done * 4, layout.cellsPerUnit === 1 ? 0 : cellWords),
    shared: new Int32Array(buffer, layout.shared * 4, unitWords),
    transit: new Int32Array(buffer, layout.transit * 4, unitWords),
    bits: new Int32Array(buffer, layout.tableBytes + TABLE_HEADER_BYTES, unitWords),
    header,
    layout,
  };
}
