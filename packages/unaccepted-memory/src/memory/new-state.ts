/**
 * Lays a fresh accept state out: the table from the memory map, the header words, everything else zero; and what must
 * be right before anybody uses it: edges accepted, units split the same way by everybody.
 */
import { ThreadRegistry, allocateBuffer } from '@bootmem/memmap/shared';
import type { ThreadRegistryHandle } from '@bootmem/memmap/shared';
import type { AcceptBackend } from '../backends/backend.js';
import { runAccept } from '../backends/call.js';
import { piecesOf } from '../backends/pieces.js';
import {
  DEFAULT_PARTICIPANTS,
  DEFAULT_UNIT_SIZE,
  DEFAULT_WAIT_LIMIT_MS,
  MAX_CELLS_PER_UNIT,
  MAX_PARTICIPANTS,
  PAGE_SIZE,
  TABLE_HEADER_BYTES,
} from '../base/constants.js';
import { checkFlag, checkInteger, checkName, refuse } from '../base/check.js';
import { AcceptError } from '../base/errors.js';
import { profileForRelease } from '../releases.js';
import { buildTable, readHeader, writeHeader } from '../table/table.js';
import type { ByteRange } from '../table/table.js';
import { FLAG, LAYOUT_VERSION, MAGIC, WORD, layoutOf } from './layout.js';
import type { StateViews } from './layout.js';
import type { UnacceptedMemoryOptions } from './types.js';

/** A laid out state, and what must be accepted before anybody uses it. */
export interface NewState {
  /** The shared words. */
  readonly buffer: ArrayBufferLike;
  /** Who takes part. */
  readonly threads: ThreadRegistryHandle;
  /** Ranges that fill no unit, in the order in which they arise. */
  readonly acceptNow: readonly ByteRange[];
}

/**
 * Makes the words that all threads share; accepts nothing.
 * @throws ERR_ACCEPT_ARGUMENT, ERR_ACCEPT_TABLE, ERR_ACCEPT_TABLE_VERSION
 */
export function newState(options: UnacceptedMemoryOptions): NewState {
  checkFlag('guard', options.guard);
  checkFlag('remark', options.remark);
  checkName('walk', options.walk, ['exact', 'kernel'], true);
  if (options.release !== undefined && typeof options.release !== 'string') {
    refuse('release', 'a text as uname -r prints it', options.release);
  }
  const slots = options.participants ?? DEFAULT_PARTICIPANTS;
  const waitLimit = options.waitLimitMs ?? DEFAULT_WAIT_LIMIT_MS;
  checkInteger('participants', slots, 1, MAX_PARTICIPANTS);
  checkInteger('waitLimitMs', waitLimit, 0, 2 ** 31 - 1);
  const plan = buildTable(options.ranges, {
    ...(options.unitSize !== undefined && { unitSize: options.unitSize }),
    ...(options.installed !== undefined && { installed: options.installed }),
    ...(options.remark !== undefined && { remark: options.remark }),
  });
  const table = plan.table ?? emptyTable(options.unitSize);
  const header = readHeader(table);
  const cells = cellsPerUnit(header.unitSize, options.backend);
  const layout = layoutOf(header.unitCount, cells, slots);
  const buffer = allocateBuffer(layout.byteLength);
  new Uint8Array(buffer).set(table, layout.tableBytes);
  const words = new Int32Array(buffer, 0, WORD.FIRST_SLOT);
  words[WORD.VERSION] = LAYOUT_VERSION;
  words[WORD.CELLS_PER_UNIT] = cells;
  words[WORD.FLAGS] =
    ((options.guard ?? true) ? FLAG.GUARD : 0) |
    (profileForRelease(options.release).pageAlign ? FLAG.PAGE_ALIGN : 0) |
    (options.walk === 'kernel' ? FLAG.KERNEL_WALK : 0);
  words[WORD.SLOTS] = slots;
  words[WORD.WAIT_LIMIT_MS] = waitLimit;
  words[WORD.UNIT_COUNT] = header.unitCount | 0;
  words[WORD.MAGIC] = MAGIC;
  const threads = ThreadRegistry.create(slots).toHandle();
  return { buffer, threads, acceptNow: plan.acceptNow };
}

/**
 * Pieces of a unit that a backend can prepare one at a time.
 * @throws ERR_ACCEPT_ARGUMENT when its granularity is no power of two
 */
function cellsPerUnit(unitSize: number, backend: AcceptBackend): number {
  const cells = Math.max(1, unitSize / backend.granularity);
  if (!Number.isInteger(cells) || (cells & (cells - 1)) !== 0) {
    throw new AcceptError(
      'ERR_ACCEPT_ARGUMENT',
      `granularity: expected a power of two, got ${backend.granularity}`,
      { granularity: backend.granularity },
    );
  }
  return Math.min(cells, MAX_CELLS_PER_UNIT);
}

/**
 * Refuses a backend that splits units otherwise than the creator's did: the bits would mean other bytes.
 * @throws ERR_ACCEPT_ARGUMENT
 */
export function checkCells({ header, layout }: StateViews, backend: AcceptBackend): void {
  const cells = cellsPerUnit(header.unitSize, backend);
  if (cells === layout.cellsPerUnit) return;
  throw new AcceptError(
    'ERR_ACCEPT_ARGUMENT',
    `expected a backend with ${layout.cellsPerUnit} pieces a unit, got ${cells}`,
    { expected: layout.cellsPerUnit, cells },
  );
}

/**
 * Accepts what fills no unit, before anybody uses the state; in pieces, as units are.
 * @throws ERR_ACCEPT_FAILED with what the backend threw as `cause`
 */
export function acceptEdges(backend: AcceptBackend, ranges: readonly ByteRange[]): void {
  for (const { start, end } of ranges) {
    try {
      for (const piece of piecesOf({ start, end }, backend.maxRun, PAGE_SIZE)) {
        runAccept(backend, piece.start, piece.end);
      }
    } catch (cause) {
      throw new AcceptError(
        'ERR_ACCEPT_FAILED',
        `${backend.name} could not accept an edge of the memory map`,
        { start, end },
        { cause },
      );
    }
  }
}

/** A table of no units: everything is accepted, every question has the answer no. */
function emptyTable(unitSize: number = DEFAULT_UNIT_SIZE): Uint8Array {
  const table = new Uint8Array(TABLE_HEADER_BYTES);
  writeHeader(table, { physBase: 0, unitSize, bitmapBytes: 0, unitCount: 0 });
  return table;
}
