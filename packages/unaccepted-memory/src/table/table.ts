/**
 * The table as one boot stage leaves it to the next: a 24-byte header and the bitmap, bit = 1 means unaccepted.
 *
 * ```text
 * byte 0   u32 version = 1
 *      4   u32 unitSize           bytes a bit stands for, 2 MiB on x86
 *      8   u64 physBase           address of bit 0, a multiple of unitSize
 *     16   u64 size               bytes of bitmap
 *     24   bitmap                 bit i = [physBase + i * unitSize, + unitSize); bit i is bit i & 7 of byte i >> 3
 * ```
 * Little-endian throughout. Addresses below `physBase` or past the bitmap count as accepted. The last byte may
 * hold padding bits; they are never set.
 *
 * Building it follows the boot stub: a bit stands for a whole unit, so what does not fill one is accepted at
 * once, and a region under two units as a whole.
 *
 * ```text
 * unaccepted        [=======================)             1 MiB .. 8 MiB
 * units        |         |         |         |            2 MiB each
 * accept now        [====)
 * bits                    [1  1  1)
 * ```
 * Source: UEFI 2.10 §7.2 (type 15); behaviour of the Linux EFI boot stub.
 */
import {
  DEFAULT_UNIT_SIZE,
  MAX_SPAN,
  PAGE_SIZE,
  TABLE_HEADER_BYTES,
  TABLE_VERSION,
} from '../base/constants.js';
import { checkInteger, checkList, checkObject } from '../base/check.js';
import { AcceptError, hex } from '../base/errors.js';
import type { UnitGeometry } from './unit-range.js';

/** A half-open range of addresses in bytes. */
export interface ByteRange {
  /** First byte. */
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
}

/** What a table says about itself. */
export interface TableHeader extends UnitGeometry {
  /** Bytes of bitmap; `unitCount` is eight times this. */
  readonly bitmapBytes: number;
}

/** A finished table, and what had to be accepted while it was made. */
export interface TablePlan {
  /** Header and bitmap; undefined when nothing is unaccepted and nothing was installed. */
  readonly table: Uint8Array | undefined;
  /** Ranges to accept before anything uses the table, in the order they arise. */
  readonly acceptNow: readonly ByteRange[];
}

/**
 * Base and bitmap size that cover the given ranges.
 * @param ranges    unaccepted memory in bytes, page aligned, in any order
 * @param unitSize  bytes a bit stands for, a power of two of at least a page
 * @returns undefined when there is no range
 * @throws ERR_ACCEPT_ARGUMENT when a range is empty, reversed or not page aligned
 * @throws ERR_ACCEPT_TABLE when the span passes 4 PiB
 */
export function planHeader(
  ranges: readonly ByteRange[],
  unitSize: number = DEFAULT_UNIT_SIZE,
): TableHeader | undefined {
  checkUnitSize(unitSize);
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  checkList('ranges', ranges);
  for (const range of ranges) {
    checkObject('range', range);
    checkInteger('range.start', range.start, 0);
    checkInteger('range.end', range.end, range.start + 1);
    if (range.start % PAGE_SIZE !== 0 || range.end % PAGE_SIZE !== 0) {
      throw new AcceptError(
        'ERR_ACCEPT_ARGUMENT',
        `expected a page aligned range, got [${hex(range.start)}, ${hex(range.end)})`,
        { start: range.start, end: range.end },
      );
    }
    low = Math.min(low, range.start);
    high = Math.max(high, range.end);
  }
  if (high === 0) return undefined;
  const physBase = Math.floor(low / unitSize) * unitSize;
  const end = Math.ceil(high / unitSize) * unitSize;
  return headerOf(physBase, unitSize, Math.ceil((end - physBase) / (unitSize * 8)));
}

/**
 * Reads the header of a table.
 * @param table  the table's bytes
 * @throws ERR_ACCEPT_TABLE_VERSION when the version is not 1
 * @throws ERR_ACCEPT_TABLE when bytes are missing or a field makes no sense
 */
export function readHeader(table: Uint8Array): TableHeader {
  if (!(table instanceof Uint8Array)) {
    throw new AcceptError('ERR_ACCEPT_TABLE', 'a table is a Uint8Array', {});
  }
  if (table.byteLength < TABLE_HEADER_BYTES) {
    throw new AcceptError(
      'ERR_ACCEPT_TABLE',
      `a table has at least ${TABLE_HEADER_BYTES} bytes, got ${table.byteLength}`,
      { bytes: table.byteLength },
    );
  }
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const version = view.getUint32(0, true);
  if (version !== TABLE_VERSION) {
    throw new AcceptError(
      'ERR_ACCEPT_TABLE_VERSION',
      `Unknown version of unaccepted memory table: ${version}`,
      { version },
    );
  }
  const unitSize = view.getUint32(4, true);
  checkUnitSize(unitSize);
  const header = headerOf(
    Number(view.getBigUint64(8, true)),
    unitSize,
    Number(view.getBigUint64(16, true)),
  );
  if (table.byteLength < TABLE_HEADER_BYTES + header.bitmapBytes) {
    throw new AcceptError(
      'ERR_ACCEPT_TABLE',
      `expected ${header.bitmapBytes} bytes of bitmap, got ${table.byteLength - TABLE_HEADER_BYTES}`,
      { expected: header.bitmapBytes, bytes: table.byteLength - TABLE_HEADER_BYTES },
    );
  }
  return header;
}

/** Writes the header; the bitmap is left alone. */
export function writeHeader(table: Uint8Array, header: TableHeader): void {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  view.setUint32(0, TABLE_VERSION, true);
  view.setUint32(4, header.unitSize, true);
  view.setBigUint64(8, BigInt(header.physBase), true);
  view.setBigUint64(16, BigInt(header.bitmapBytes), true);
}

/**
 * Builds the table for a memory map, or adds to one that an earlier stage installed.
 * @param ranges  the map's unaccepted ranges (type 15) in bytes, page aligned
 * @param options `unitSize` in bytes (default 2 MiB); `installed`: an existing table, whose base, unit, size and bits
 *                win: of the ranges only what lies outside of it counts, and is accepted now. `remark`: its bits are set
 *                again for what the ranges name inside, and their edges accepted, as the boot stub does; what the earlier
 *                stage accepted is then accepted twice
 * @returns the table (a fresh copy) and the ranges that must be accepted now
 * @throws ERR_ACCEPT_TABLE_VERSION when the installed table has an unknown version
 * @throws ERR_ACCEPT_ARGUMENT, ERR_ACCEPT_TABLE as {@link planHeader} and {@link readHeader}
 * @kernel allocate_unaccepted_bitmap, process_unaccepted_memory
 */
export function buildTable(
  ranges: readonly ByteRange[],
  options: {
    readonly unitSize?: number;
    readonly installed?: Uint8Array;
    readonly remark?: boolean;
  } = {},
): TablePlan {
  checkObject('options', options);
  const planned = planHeader(ranges, options.unitSize);
  const header = options.installed === undefined ? planned : readHeader(options.installed);
  if (header === undefined) return { table: undefined, acceptNow: [] };
  const table = new Uint8Array(TABLE_HEADER_BYTES + header.bitmapBytes);
  if (options.installed === undefined) writeHeader(table, header);
  else table.set(options.installed.subarray(0, table.length));
  if (options.installed !== undefined && options.remark !== true) {
    return { table, acceptNow: ranges.flatMap((range) => outside(header, range)) };
  }
  const acceptNow: ByteRange[] = [];
  for (const range of ranges) {
    recordRange(header, range, acceptNow, (start, end) => {
      setTableBits(table, start, end);
    });
  }
  return { table, acceptNow };
}

/** The parts of a range that a table says nothing about. */
function outside(header: TableHeader, { start, end }: ByteRange): ByteRange[] {
  const { physBase, unitSize, unitCount } = header;
  const limit = physBase + unitCount * unitSize;
  return [
    { start, end: Math.min(end, physBase) },
    { start: Math.max(start, limit), end },
  ].filter((part) => part.start < part.end);
}

/**
 * One unaccepted range of the map: what to accept now, which bits to set.
 * @param header    the table that is being filled
 * @param range     page aligned, in bytes
 * @param acceptNow receives the ranges to accept at once
 * @param setUnits  called with unit indices `[start, end)` to mark; not called when none is left
 * @kernel process_unaccepted_memory
 */
function recordRange(
  header: TableHeader,
  range: ByteRange,
  acceptNow: ByteRange[],
  setUnits: (start: number, end: number) => void,
): void {
  const { physBase, unitSize, unitCount } = header;
  let { start, end } = range;
  const push = (from: number, to: number): void => {
    acceptNow.push({ start: from, end: to });
  };
  // Under two units there may be no whole unit in it; one rule for all of them keeps this simple.
  if (end - start < 2 * unitSize) {
    push(start, end);
    return;
  }
  if (start % unitSize !== 0) {
    const up = Math.ceil(start / unitSize) * unitSize;
    push(start, up);
    start = up;
  }
  if (end % unitSize !== 0) {
    const down = Math.floor(end / unitSize) * unitSize;
    push(down, end);
    end = down;
  }
  // Only a table made by an earlier stage can start later or end sooner than the map's ranges.
  if (start < physBase) {
    push(start, Math.min(end, physBase));
    start = physBase;
    if (start >= end) return;
  }
  const limit = physBase + unitCount * unitSize;
  if (end > limit) {
    push(Math.max(start, limit), end);
    end = limit;
    if (start >= end) return;
  }
  setUnits((start - physBase) / unitSize, (end - physBase) / unitSize);
}

/** Sets bits `[start, end)` of a table, whole bytes at a time: a large guest has millions of units. */
function setTableBits(table: Uint8Array, start: number, end: number): void {
  const bit = (at: number): void => {
    const byte = TABLE_HEADER_BYTES + Math.floor(at / 8);
    table[byte] = table[byte]! | (1 << (at % 8));
  };
  const from = Math.min(end, Math.ceil(start / 8) * 8);
  const to = Math.max(from, Math.floor(end / 8) * 8);
  for (let at = start; at < from; at += 1) bit(at);
  table.fill(0xff, TABLE_HEADER_BYTES + from / 8, TABLE_HEADER_BYTES + to / 8);
  for (let at = to; at < end; at += 1) bit(at);
}

function checkUnitSize(unitSize: number): void {
  checkInteger('unitSize', unitSize, PAGE_SIZE, 2 ** 31);
  if ((unitSize & (unitSize - 1)) !== 0) {
    throw new AcceptError(
      'ERR_ACCEPT_ARGUMENT',
      `unitSize: expected a power of two, got ${unitSize}`,
      {
        unitSize,
      },
    );
  }
}

function headerOf(physBase: number, unitSize: number, bitmapBytes: number): TableHeader {
  const span = bitmapBytes * 8 * unitSize;
  if (physBase % unitSize !== 0 || !Number.isSafeInteger(physBase + span)) {
    throw new AcceptError(
      'ERR_ACCEPT_TABLE',
      `expected a unit aligned base and a span below 2^53, got base ${hex(physBase)}, span ${hex(span)}`,
      { physBase, span },
    );
  }
  // The last byte of the bitmap may reach past the end of memory by up to seven units.
  if (span - 7 * unitSize > MAX_SPAN) {
    throw new AcceptError('ERR_ACCEPT_TABLE', `a table spans at most 4 PiB, got ${hex(span)}`, {
      span,
    });
  }
  return { physBase, unitSize, bitmapBytes, unitCount: bitmapBytes * 8 };
}
