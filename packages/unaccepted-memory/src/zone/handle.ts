/**
 * What a zone acceptor's handle must be, and the sizes that its numbers may have.
 */
import type { BufferNeed, HandleFormat } from '@bootmem/memmap/shared';
import {
  checkFlag,
  checkInteger,
  checkMethods,
  checkName,
  checkNumber,
  checkObject,
  refuse,
} from '../base/check.js';
import { MAX_PARTICIPANTS } from '../base/constants.js';
import { UnacceptedMemory } from '../memory/unaccepted-memory.js';
import {
  IN_FLIGHT_HEADER_WORDS,
  IN_FLIGHT_MAGIC,
  IN_FLIGHT_VERSION,
  inFlightBytes,
  inFlightSlots,
} from './in-flight.js';
import { ZONE_COUNTERS } from './types.js';
import type { ZoneAcceptorAttach, ZonePolicy } from './types.js';

/** Largest order of a parked block. */
const MAX_BLOCK_ORDER = 30;
/** Largest log2 of a page's bytes. */
const MAX_PAGE_SHIFT = 30;

const METHODS = [
  'parkUnaccepted',
  'takeUnaccepted',
  'takeUnacceptedAt',
  'freeAccepted',
  'unacceptedPages',
  'acceptState',
] as const;

/** @throws ERR_ACCEPT_ARGUMENT unless the rules are some */
export function checkPolicy(policy: Required<ZonePolicy>): void {
  checkObject('policy', policy);
  checkName('mode', policy.mode, ['lazy', 'eager']);
  checkInteger('maxOrder', policy.maxOrder, 0, MAX_BLOCK_ORDER);
  checkInteger('pageShift', policy.pageShift, 0, MAX_PAGE_SHIFT);
  checkFlag('highOrderRule', policy.highOrderRule);
  checkName('zeroMarks', policy.zeroMarks, ['demand', 'always']);
  checkNumber('burst', policy.burst, 0);
}

/** @throws ERR_ACCEPT_ARGUMENT unless there is an accept state, and an allocator with the methods of a port */
export function checkThread(thread: ZoneAcceptorAttach): void {
  checkObject('thread', thread);
  const { memory, port } = thread;
  if (!(memory instanceof UnacceptedMemory)) refuse('memory', 'an UnacceptedMemory', memory);
  checkMethods('port', port, METHODS);
}

function needs(
  words: Int32Array,
  handle: Readonly<Record<string, unknown>>,
): readonly BufferNeed[] | string {
  const slots = inFlightSlots(words);
  if (slots < 1 || slots > MAX_PARTICIPANTS) return `it has ${slots} participant slots`;
  try {
    checkPolicy(handle['policy'] as Required<ZonePolicy>);
  } catch (error) {
    return `its policy is none: ${(error as Error).message}`;
  }
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
