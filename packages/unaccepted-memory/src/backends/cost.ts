/**
 * What an accept costs on a platform that is modelled, not present: calls and cycles, as plain numbers.
 */
import type { AcceptBackend } from './backend.js';
import type { ByteRange } from '../table/table.js';

/** The price of one accept. */
export interface AcceptCost {
  /** Calls into the platform (successful ones). */
  readonly calls: number;
  /** CPU cycles, refused attempts and zeroing included. */
  readonly cycles: number;
}

/** What a platform can be asked for. */
export type PlatformWork = 'accept' | 'shared' | 'private' | 'unaccepted';

/** A backend that can tell the price beforehand. */
export interface ModelBackend extends AcceptBackend {
  convert(start: number, end: number, to: 'shared' | 'private' | 'unaccepted'): void;
  /** Price of accepting `[start, end)`, or of converting it; changes nothing. */
  cost(start: number, end: number, work?: PlatformWork): AcceptCost;
}

/** Settings that both platform models share. */
export interface ModelOptions {
  /** Page size in bytes with which the host backs the guest: 4096, 2 MiB or 1 GiB. Default 2 MiB. */
  readonly hostPageSize?: number;
  /** Ranges that the host backs with 4 KiB pages whatever `hostPageSize` says. */
  readonly hostSmall?: readonly ByteRange[];
  /** Ranges that the platform refuses altogether. */
  readonly refuse?: readonly ByteRange[];
  /** Cycles for clearing a byte of accepted memory; default 0, so that figures follow from calls alone. */
  readonly zeroCyclesPerByte?: number;
  /** When given, an accept really lasts `cycles / realTimeGHz` ns of busy CPU; default: returns at once. */
  readonly realTimeGHz?: number;
}

/** True when the two half-open ranges share a byte. */
export function overlaps(range: ByteRange, start: number, end: number): boolean {
  return range.start < end && start < range.end;
}

/** Keeps the CPU busy for `cycles` at `gigahertz`. */
export function spend(cycles: number, gigahertz: number | undefined): void {
  if (gigahertz === undefined) return;
  const until = performance.now() + cycles / gigahertz / 1e6;
  while (performance.now() < until);
}
