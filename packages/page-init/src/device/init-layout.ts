/**
 * Shared words of one device range's initialisation.
 *
 *     header words | start, end, unit pages, first device page (doubles) | pages done (64 bit) | claim word per unit
 */
import type { HandleFormat } from '@bootmem/memmap/shared';

/** Marks the buffer. */
export const MAGIC = 0x44455649;
/** Layout version. */
export const VERSION = 2;
/** Indices of the words. */
export const Word = {
  MAGIC: 0,
  VERSION: 1,
  ZONE_ID: 2,
  PGMAP: 3,
  STATE: 4,
  SHIFT: 5,
  UNIQUE: 6,
  UNITS: 7,
  /** Units that a waiting caller did itself. */
  FOREGROUND: 8,
  /** Four doubles: start, end, unit pages, first device page. */
  START: 16,
  UNITS_AT: 26,
} as const;
/** Where the counter of pages done lies, behind the doubles. */
export const COUNTER_BYTE = 96;

/** Bytes for a number of units. */
export function deviceInitBytes(units: number): number {
  return (Word.UNITS_AT + units) * 4;
}

/** Format of `DeviceInitHandle`. */
export const DEVICE_INIT_FORMAT: HandleFormat = {
  type: 'bootmem.device-init',
  header: { field: 'buffer' },
  magic: MAGIC,
  version: VERSION,
  headerWords: Word.UNITS_AT,
  needs: (words) => {
    const units = words[Word.UNITS]!;
    if (units < 0) return `it has ${units} units`;
    return [{ field: 'buffer', bytes: deviceInitBytes(units) }];
  },
};
