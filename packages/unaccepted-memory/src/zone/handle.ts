/**
 * What a zone acceptor's handle must be, and the sizes that its numbers may have.
 */
import type { BufferNeed, HandleFormat } from '@bootmem/memmap/shared';
import { MAX_PARTICIPANTS } from '../base/constants.js';
import {
  IN_FLIGHT_HEADER_WORDS,
  IN_FLIGHT_MAGIC,
  IN_FLIGHT_VERSION,
  inFlightBytes,
  inFlightSlots,
} from './in-flight.js';
import { ZONE_COUNTERS } from './types.js';

/** Largest order of a parked block. */
export const MAX_BLOCK_ORDER = 30;
/** Largest log2 of a page's bytes. */
export const MAX_PAGE_SHIFT = 30;

const isCount = (value: unknown, most: number): boolean =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;

function needs(
  words: Int32Array,
  handle: Readonly<Record<string, unknown>>,
): readonly BufferNeed[] | string {
  const slots = inFlightSlots(words);
  if (slots < 1 || slots > MAX_PARTICIPANTS) return `it has ${slots} participant slots`;
  const policy = (handle['policy'] ?? {}) as Readonly<Record<string, unknown>>;
  if (
    !isCount(policy['maxOrder'], MAX_BLOCK_ORDER) ||
    !isCount(policy['pageShift'], MAX_PAGE_SHIFT)
  ) {
    return 'its policy has no sizes';
  }
  if (policy['mode'] !== 'lazy' && policy['mode'] !== 'eager') return 'its mode is lazy or eager';
  return [
    { field: 'inFlight', bytes: inFlightBytes(slots) },
    { field: 'counters', bytes: ZONE_COUNTERS.length * 8 },
  ];
}

/** Format of `ZoneAcceptorHandle`. */
export const ACCEPTOR_FORMAT: HandleFormat = {
  type: 'bootmem.zone-acceptor',
  header: { field: 'inFlight' },
  magic: IN_FLIGHT_MAGIC,
  version: IN_FLIGHT_VERSION,
  headerWords: IN_FLIGHT_HEADER_WORDS,
  needs,
};
