/**
 * Checking of arguments and options: everything that comes in from outside passes here, before
 * anything is changed.
 */
import { isPowerOfTwo } from './arithmetic.js';
import { ALLOC_ANYWHERE, FLAGS_MASK, PHYS_ADDR_MAX } from './constants.js';
import { MemblockError } from './errors.js';
import { profileForRelease, type MemblockProfile } from './profiles.js';
import type { Direction, LogLevel, MemblockOptions, MemblockWarning } from './types.js';

/** Options with every default filled in. */
export interface Settings {
  readonly profile: MemblockProfile;
  readonly pageSize: number;
  readonly cacheLineSize: number;
  readonly maxNodes: number;
  readonly numa: boolean;
  readonly movableNode: boolean;
  readonly mirroredKernelcore: boolean;
  readonly maskAlignment: boolean;
  readonly debug: boolean;
  readonly direction: Direction;
  readonly currentLimit: number;
  readonly log: ((text: string, level: LogLevel) => void) | undefined;
  readonly warn: ((warning: MemblockWarning) => void) | undefined;
  readonly accept: ((base: number, size: number) => void) | undefined;
  readonly caller: () => string;
}

/** `0x…` for messages; other values as they are. */
export function show(value: unknown): string {
  return Number.isSafeInteger(value) && (value as number) >= 0
    ? `0x${(value as number).toString(16)}`
    : String(value);
}

/** Refuses what is not an address or a number of bytes: an integer in 0 .. 2^53 - 1. */
export function checkBytes(value: number, name: string): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new MemblockError(
    'ERR_MEMBLOCK_ARGUMENT',
    `${name} must be an integer in bytes from 0 to ${show(PHYS_ADDR_MAX)}, got ${show(value)}`,
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
    `flags must be bits from 0 to ${show(FLAGS_MASK)}, got ${show(flags)}`,
    { name: 'flags', value: flags },
  );
}

/** Refuses an alignment that is neither 0 nor a power of two (any number of bytes where masks are wanted). */
export function checkAlignment(align: number, mask: boolean): void {
  checkBytes(align, 'align');
  if (align === 0 || mask || isPowerOfTwo(align)) return;
  throw new MemblockError(
    'ERR_MEMBLOCK_ALIGNMENT',
    `align must be a power of two, got ${show(align)}`,
    { align },
  );
}

function checkRange(value: number, name: string, from: number, to: number): number {
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw new MemblockError(
    'ERR_MEMBLOCK_ARGUMENT',
    `${name} must be an integer from ${from} to ${to}, got ${String(value)}`,
    { name, value },
  );
}

function checkPower(value: number, name: string): number {
  if (isPowerOfTwo(value)) return value;
  throw new MemblockError(
    'ERR_MEMBLOCK_ALIGNMENT',
    `${name} must be a power of two, got ${show(value)}`,
    { name, value },
  );
}

/** Entries of a simulated array, 1 .. 2^31; absent: the default. */
export function checkCapacity(value: number | undefined, name: string, fallback: number): number {
  return value === undefined ? fallback : checkRange(value, name, 1, 2 ** 31);
}

/** Fills in the defaults. @throws MemblockError when an option is not what it must be */
export function settingsOf(options: MemblockOptions): Settings {
  const { profile = 'latest', currentLimit = ALLOC_ANYWHERE, direction = 'top-down' } = options;
  checkBytes(currentLimit, 'currentLimit');
  checkDirection(direction);
  if (typeof profile !== 'string' && typeof profile !== 'object') {
    throw new MemblockError(
      'ERR_MEMBLOCK_ARGUMENT',
      `profile must be a kernel release or a profile, got ${JSON.stringify(profile)}`,
      { profile },
    );
  }
  return {
    profile: typeof profile === 'string' ? profileForRelease(profile) : profile,
    pageSize: checkPower(options.pageSize ?? 4096, 'pageSize'),
    cacheLineSize: checkPower(options.cacheLineSize ?? 64, 'cacheLineSize'),
    maxNodes: checkRange(options.maxNodes ?? 1024, 'maxNodes', 1, 32767),
    numa: options.numa ?? true,
    movableNode: options.movableNode ?? false,
    mirroredKernelcore: options.mirroredKernelcore ?? false,
    maskAlignment: options.oddAlignment === 'mask',
    debug: options.debug ?? false,
    direction,
    currentLimit,
    log: options.log,
    warn: options.warn,
    accept: options.accept,
    caller: options.caller ?? (() => '<caller>'),
  };
}

/** Refuses anything but the two directions. */
export function checkDirection(direction: string): void {
  if (direction === 'top-down' || direction === 'bottom-up') return;
  throw new MemblockError(
    'ERR_MEMBLOCK_ARGUMENT',
    `direction must be 'top-down' or 'bottom-up', got ${direction}`,
    { direction },
  );
}
