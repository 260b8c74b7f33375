/**
 * Named reservations: `reserve_mem=SIZE:ALIGN:NAME` on the command line keeps a range under a name
 * that other code can ask for. The table has 8 slots, and a released slot is not used again.
 *
 * Source: Documentation/admin-guide/kernel-parameters.txt (reserve_mem=).
 */
import {
  ALLOC_ACCESSIBLE,
  MAX_NAMED_RESERVATIONS,
  NO_NODE,
  RESERVATION_NAME_SIZE,
} from '../base/constants.js';
import { MemblockError } from '../base/errors.js';
import type { NamedReservation, NodePfnRange } from '../base/types.js';
import type { MemblockCore } from '../core/core.js';
import { allocChecked, debugRequest } from './allocation.js';
import { searchPfnNid } from './queries.js';

/** The kernel's error numbers of a refused parameter. */
export const RESERVATION_ERRNO = { EINVAL: -22, EBUSY: -16 } as const;

/** Makes the reservation that a `reserve_mem=` parameter asks for. */
export function reserveMem(
  core: MemblockCore,
  parameter: string,
  records: readonly NamedReservation[],
): NamedReservation | undefined {
  core.checkAlive();
  if (parameter === '') refuse(core, 'EINVAL', 'empty or malformed parameter', parameter);
  if (core.named.length >= MAX_NAMED_RESERVATIONS) {
    refuse(core, 'EBUSY', 'no more room for reserved memory', parameter);
  }
  const { size, align, name } = parseReservation(core, parameter);
  if (findReservation(core, name) !== undefined) {
    refuse(core, 'EBUSY', `name "${name}" was already used`, parameter);
  }
  const record = records.find(
    (known) => known.name === name && known.size === size && known.start % align === 0,
  );
  if (record !== undefined) {
    core.print(`Revived memory reservation '${name}' from KHO\n`, 'info');
    return enter(core, name, record.start, size);
  }
  if (core.settings.debug) debugRequest(core, size, align, 0, ALLOC_ACCESSIBLE);
  const start = allocChecked(core, size, align, 0, ALLOC_ACCESSIBLE, NO_NODE, false);
  if (start !== 0) return enter(core, name, start, size);
  if (core.settings.profile.reserveMemMessages) {
    core.print('reserve_mem: memblock allocation failed\n', 'error');
  }
  return undefined;
}

/** The reservation of that name; undefined for none, and for a released one. */
export function findReservation(core: MemblockCore, name: string): NamedReservation | undefined {
  const found = core.named.find((entry) => entry.size > 0 && entry.name === name);
  return found === undefined ? undefined : { ...found };
}

/** All reservations made, in order; released ones have size 0. */
export function namedReservations(core: MemblockCore): NamedReservation[] {
  return core.named.map((entry) => ({ ...entry }));
}

/** Ends a reservation; gives the pages to free. */
export function releaseReservation(core: MemblockCore, name: string): NodePfnRange | undefined {
  const entry = core.named.find((known) => known.size > 0 && known.name === name);
  if (entry === undefined) return undefined;
  const { pageSize, profile } = core.settings;
  const end = entry.start + entry.size - (profile.releasesLastPage ? 0 : 1);
  const startPfn = Math.ceil(entry.start / pageSize);
  const endPfn = Math.max(startPfn, Math.floor(end / pageSize));
  entry.size = 0;
  return { startPfn, endPfn, nid: searchPfnNid(core, startPfn)?.nid ?? NO_NODE };
}

function enter(core: MemblockCore, name: string, start: number, size: number): NamedReservation {
  core.named.push({ name, start, size });
  return { name, start, size };
}

function parseReservation(
  core: MemblockCore,
  parameter: string,
): { size: number; align: number; name: string } {
  const malformed = (): never => refuse(core, 'EINVAL', 'empty or malformed parameter', parameter);
  const size = parseMemorySize(parameter);
  if (size.length === 0 || size.value === 0) malformed();
  if (parameter[size.length] !== ':') malformed();
  const align = parseMemorySize(parameter.slice(size.length + 1));
  const nameAt = size.length + 1 + align.length;
  if (parameter[nameAt] !== ':') malformed();
  const name = parameter.slice(nameAt + 1);
  if (name.trim() === '' || name.length >= RESERVATION_NAME_SIZE) malformed();
  return { size: size.value, align: Math.max(align.value, core.settings.cacheLineSize), name };
}

function refuse(
  core: MemblockCore,
  errno: keyof typeof RESERVATION_ERRNO,
  reason: string,
  parameter: string,
): never {
  const message = `reserve_mem: ${reason}`;
  if (core.settings.profile.reserveMemMessages) core.print(`${message}\n`, 'error');
  throw new MemblockError('ERR_MEMBLOCK_RESERVATION', `${message}: ${parameter}`, {
    errno: RESERVATION_ERRNO[errno],
    parameter,
  });
}

/**
 * Reads a number with an optional K, M, G, T, P or E behind it, at the front of a text: decimal,
 * `0x` hexadecimal or `0` octal.
 * @returns the value in bytes (at most 2^53 - 1) and how many characters it took; 0 characters: no number
 * @kernel memparse
 */
export function parseMemorySize(text: string): { value: number; length: number } {
  const digits = /^(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)/.exec(text)?.[0] ?? '';
  if (digits === '') return { value: 0, length: 0 };
  const octal = /^0[0-7]+$/.test(digits);
  const number = octal ? Number.parseInt(digits, 8) : Number(digits);
  const suffix = 'KMGTPE'.indexOf((text[digits.length] ?? ' ').toUpperCase());
  const value = number * 1024 ** (suffix + 1);
  return {
    value: Math.min(value, Number.MAX_SAFE_INTEGER),
    length: digits.length + (suffix < 0 ? 0 : 1),
  };
}
