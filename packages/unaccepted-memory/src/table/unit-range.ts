/**
 * From bytes to units: which units a request means. Pure arithmetic, no shared state.
 *
 * ```text
 *            base                                              limit
 *             |  unit 0  |  unit 1  |  unit 2  |  unit 3  |      |
 * request          [----------------)                              ends on a unit boundary: units 0, 1 + guard 2
 * request          [---------------------)                         ends inside unit 2: units 0, 1, 2
 * ```
 * The unit after a request that ends exactly on a boundary is the **guard**: some code reads a whole word that
 * crosses into the next page and relies on a recoverable fault, which unaccepted memory does not give. Nothing
 * is guarded below, and there is no guard past the end of the bitmap.
 *
 * Source: reference of the feature's behaviour; cover letters of the kernel series (v6 introduced the guard).
 */
import { PAGE_SIZE } from '../base/constants.js';
import { checkInteger } from '../base/check.js';

/** Where units lie. `physBase` is a multiple of `unitSize`; all in bytes except `unitCount`. */
export interface UnitGeometry {
  /** Address of unit 0. */
  readonly physBase: number;
  /** Bytes of a unit, a power of two. */
  readonly unitSize: number;
  /** Units that the bitmap has bits for, padding of the last byte included. */
  readonly unitCount: number;
}

/** Which units a request means. */
export interface UnitRules {
  /** Add the unit after an end that lies on a unit boundary. */
  readonly guard: boolean;
  /** Widen the request to whole pages first; by kernel release. */
  readonly pageAlign: boolean;
  /** {@link probeUnits} walks in unit steps from an unaligned start and may miss the last unit, as kernels do. */
  readonly kernelWalk: boolean;
}

/** A half-open range of unit indices; `start === end` when it is empty. */
export interface UnitRange {
  /** First unit. */
  readonly start: number;
  /** One past the last unit. */
  readonly end: number;
}

/** A half-open range of addresses in bytes. */
interface Bytes {
  readonly start: number;
  readonly end: number;
}

const NOTHING: UnitRange = { start: 0, end: 0 };

interface Clamped {
  readonly start: number;
  readonly end: number;
}

function clamp(
  geometry: UnitGeometry,
  start: number,
  size: number,
  { guard, pageAlign }: UnitRules,
): Clamped | undefined {
  const { physBase, unitSize, unitCount } = geometry;
  let first = start;
  let last = start + size;
  if (pageAlign) {
    first = Math.floor(first / PAGE_SIZE) * PAGE_SIZE;
    last = Math.ceil(last / PAGE_SIZE) * PAGE_SIZE;
  }
  if (last < physBase || unitCount === 0) return undefined;
  first = Math.max(first, physBase) - physBase;
  last -= physBase;
  if (guard && last % unitSize === 0) last += unitSize;
  last = Math.min(last, unitCount * unitSize);
  return { start: first, end: last };
}

/**
 * The units that accepting `[start, start + size)` means.
 * @param geometry  where units lie
 * @param start     first byte, 0 .. 2^53 - 1
 * @param size      bytes; 0 still names the unit that holds `start` (or its guard), as the kernel does
 * @param rules     guard, page alignment
 * @returns whole units; empty when the range lies outside the bitmap
 * @throws ERR_ACCEPT_ARGUMENT when start or size is not a non-negative safe integer
 */
export function acceptUnits(
  geometry: UnitGeometry,
  start: number,
  size: number,
  rules: UnitRules,
): UnitRange {
  checkInteger('start', start, 0);
  checkInteger('size', size, 0, Number.MAX_SAFE_INTEGER - start);
  const range = clamp(geometry, start, size, rules);
  if (range === undefined) return NOTHING;
  const first = Math.floor(range.start / geometry.unitSize);
  const last = Math.ceil(range.end / geometry.unitSize);
  return first < last ? { start: first, end: last } : NOTHING;
}

/**
 * The units that must be accepted for `[start, start + size)` to be safe to use: the same units, save for the
 * quirk of `rules.kernelWalk`.
 * @throws ERR_ACCEPT_ARGUMENT as {@link acceptUnits}
 */
export function probeUnits(
  geometry: UnitGeometry,
  start: number,
  size: number,
  rules: UnitRules,
): UnitRange {
  if (!rules.kernelWalk) return acceptUnits(geometry, start, size, rules);
  checkInteger('start', start, 0);
  checkInteger('size', size, 0, Number.MAX_SAFE_INTEGER - start);
  const range = clamp(geometry, start, size, rules);
  if (range === undefined || range.start >= range.end) return NOTHING;
  const first = Math.floor(range.start / geometry.unitSize);
  const steps = Math.ceil((range.end - range.start) / geometry.unitSize);
  return { start: first, end: first + steps };
}

/** Address of a unit's first byte. */
export function addressOf({ physBase, unitSize }: UnitGeometry, unit: number): number {
  return physBase + unit * unitSize;
}

/** The bytes that whole units cover. */
export function bytesOf(geometry: UnitGeometry, units: UnitRange): Bytes {
  return { start: addressOf(geometry, units.start), end: addressOf(geometry, units.end) };
}

/**
 * The units that intersect a range of addresses, with no rule applied.
 * @param within  bytes, checked; default: all units
 * @returns units of the bitmap; empty when none intersects it
 */
export function unitsWithin(geometry: UnitGeometry, within?: Bytes): UnitRange {
  const { physBase, unitSize, unitCount } = geometry;
  if (within === undefined) return { start: 0, end: unitCount };
  const start = Math.max(0, Math.floor((within.start - physBase) / unitSize));
  const end = Math.min(unitCount, Math.ceil((within.end - physBase) / unitSize));
  return within.start < within.end && start < end ? { start, end } : NOTHING;
}
