/**
 * Checking of arguments: everything that comes in from outside passes here, before anything is changed.
 */
import { isPowerOfTwo } from './arithmetic.js';
import { FLAGS_MASK, PHYS_ADDR_MAX } from './constants.js';
import { MemblockError } from './errors.js';
import { plainHex } from './notation.js';

/** Refuses what is not an address or a number of bytes: an integer in 0 .. 2^53 - 1. */
export function checkBytes(value: number, name: string): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new MemblockError(
    'ERR_MEMBLOCK_ARGUMENT',
    `${name} must be an integer in bytes from 0 to ${plainHex(PHYS_ADDR_MAX)}, got ${plainHex(value)}`,
    { name, value },
  );
}

/** Refuses a node that cannot be recorded: not an integer in -1 .. maxNodes. */
export function checkNode(nid: number, maxNodes: number): void {
  if (Number.isInteger(nid) && nid >= -1 && nid <= maxNodes) return;
  throw new MemblockError(
    'ERR_MEMBLOCK_ARGUMENT',
    `nid must be an integer from -1 to ${maxNodes}, got ${String(nid)}`,
    { name: 'nid', value: nid },
  );
}

/** Refuses a node wish that is no integer; any integer outside the nodes means "any". */
export function checkWish(nid: number): void {
  if (Number.isInteger(nid)) return;
  throw new MemblockError('ERR_MEMBLOCK_ARGUMENT', `nid must be an integer, got ${String(nid)}`, {
    name: 'nid',
    value: nid,
  });
}

/** Refuses flags outside 0 .. 0xffff. */
export function checkFlags(flags: number): void {
  if (Number.isInteger(flags) && flags >= 0 && flags <= FLAGS_MASK) return;
  throw new MemblockError(
    'ERR_MEMBLOCK_ARGUMENT',
    `flags must be bits from 0 to ${plainHex(FLAGS_MASK)}, got ${plainHex(flags)}`,
    { name: 'flags', value: flags },
  );
}

/** Refuses an alignment that is neither 0 nor a power of two (any number of bytes where masks are wanted). */
export function checkAlignment(align: number, mask: boolean): void {
  checkBytes(align, 'align');
  if (align === 0 || mask || isPowerOfTwo(align)) return;
  throw new MemblockError(
    'ERR_MEMBLOCK_ALIGNMENT',
    `align must be a power of two, got ${plainHex(align)}`,
    { align },
  );
}

/** Refuses what is not an integer from `from` to `to`; gives the value. */
export function checkRange(value: number, name: string, from: number, to: number): number {
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw new MemblockError(
    'ERR_MEMBLOCK_ARGUMENT',
    `${name} must be an integer from ${from} to ${to}, got ${String(value)}`,
    { name, value },
  );
}

/** Refuses what is not a power of two; gives the value. */
export function checkPower(value: number, name: string): number {
  if (isPowerOfTwo(value)) return value;
  throw new MemblockError(
    'ERR_MEMBLOCK_ALIGNMENT',
    `${name} must be a power of two, got ${plainHex(value)}`,
    { name, value },
  );
}

/** Refuses anything but the texts that there are. */
export function checkChoice(value: unknown, name: string, choices: readonly string[]): void {
  if (typeof value === 'string' && choices.includes(value)) return;
  throw new MemblockError(
    'ERR_MEMBLOCK_ARGUMENT',
    `${name} must be ${choices.map((text) => `'${text}'`).join(' or ')}, got ${String(value)}`,
    { name },
  );
}

/** Refuses anything but the two directions. */
export function checkDirection(direction: string): void {
  checkChoice(direction, 'direction', ['top-down', 'bottom-up']);
}

/** Refuses what is no object. */
export function checkObject(value: unknown, name: string): void {
  if (typeof value === 'object' && value !== null) return;
  throw wrongKind(name, 'an object', value);
}

/** Refuses what is no list. */
export function checkList(value: unknown, name: string): void {
  if (Array.isArray(value)) return;
  throw wrongKind(name, 'an array', value);
}

/** Refuses what is neither absent nor of the kind that `typeof` names. */
export function checkKind(
  value: unknown,
  name: string,
  kind: 'function' | 'boolean' | 'string',
): void {
  if (value === undefined || typeof value === kind) return;
  throw wrongKind(name, `a ${kind}`, value);
}

function wrongKind(name: string, wanted: string, value: unknown): MemblockError {
  return new MemblockError(
    'ERR_MEMBLOCK_ARGUMENT',
    `${name} must be ${wanted}, got ${value === null ? 'null' : typeof value}`,
    { name },
  );
}
