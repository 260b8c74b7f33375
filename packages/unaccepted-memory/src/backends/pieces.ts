/**
 * A range cut into pieces that a backend takes in one call. Pure arithmetic.
 */
import type { ByteRange } from '../table/table.js';

/**
 * The pieces of `[start, end)`, in ascending order.
 * @param range    bytes, a whole number of grains
 * @param longest  bytes of a piece at most (`AcceptBackend.maxRun`)
 * @param grain    bytes that are never cut; a piece has at least one grain, whatever `longest` says
 */
export function* piecesOf(
  { start, end }: ByteRange,
  longest: number,
  grain: number,
): Generator<ByteRange> {
  const step = Math.max(grain, Math.floor(longest / grain) * grain);
  for (let at = start; at < end; at += step) yield { start: at, end: Math.min(end, at + step) };
}
