/**
 * What the words of a deferred node must be beside their sizes, so that a thread which attaches to damaged ones initialises
 * no page that is another's. O(sections + ranges)
 */
import type { Memmap } from '@bootmem/memmap';
import { ClaimState } from '../core/claims.js';
import { deferredLayout, Phase, Word } from './layout.js';

const STATE_MASK = 7;
const LAST_STATE = Math.max(...Object.values(ClaimState));

/** What is wrong, as a sentence; undefined for nothing. */
export function nodeFault(buffer: ArrayBufferLike, memmap: Memmap): string | undefined {
  const words = new Int32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
  const sections = words[Word.SECTIONS]!;
  const layout = deferredLayout(sections, words[Word.RANGES]!);
  const size = 2 ** words[Word.SECTION_ORDER]!;
  const startPfn = words[Word.BASE_SECTION]! * size;
  const endPfn = startPfn + sections * size;
  const named = memmap.zones.info(words[Word.ZONE_ID]!);
  if (named === undefined || named.nid !== words[Word.NID]) return 'its zone is none of its node';
  if (startPfn < memmap.startPfn || endPfn > memmap.endPfn) return 'it lies outside the memmap';
  const phase = Atomics.load(words, Word.PHASE);
  if (phase < Phase.BEFORE || phase > Phase.DONE) return `it is in phase ${phase}`;
  const units = words.subarray(layout.unitsAt / 4, layout.unitsAt / 4 + sections);
  if (units.some((word) => (word & STATE_MASK) > LAST_STATE)) return 'a section has no state';
  const ranges = new Float64Array(buffer, layout.rangesAt, 2 * words[Word.RANGES]!);
  let at = startPfn;
  for (let i = 0; i < ranges.length; i += 2) {
    const [start, end] = [ranges[i]!, ranges[i + 1]!];
    const whole = Number.isSafeInteger(start) && Number.isSafeInteger(end);
    if (!whole || start < at || start >= end || end > endPfn)
      return 'its free ranges are not in order';
    at = end;
  }
  return undefined;
}
