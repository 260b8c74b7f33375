/**
 * All recognisers, and how a line finds those that it may be a record of: one search for all their hints. Nearly all lines of a long log
 * hold none.
 */
import { BANK_RECOGNISERS } from '../records/bank-lines.js';
import { DEVICE_TREE_RECOGNISERS } from '../records/device-tree-lines.js';
import { Draft } from '../records/draft.js';
import { FAILURE_RECOGNISERS } from '../records/failure-lines.js';
import { IDENTITY_RECOGNISERS } from '../records/identity-lines.js';
import { MAP_RECOGNISERS } from '../records/map-lines.js';
import { MEMBLOCK_RECOGNISERS } from '../records/memblock-lines.js';
import { NODE_RECOGNISERS } from '../records/node-lines.js';
import type { Outcome, Recogniser } from '../records/recogniser.js';
import { TOTAL_RECOGNISERS } from '../records/total-lines.js';
import { USE_RECOGNISERS } from '../records/use-lines.js';
import { ZONE_RECOGNISERS } from '../records/zone-lines.js';
import type { LineCodes } from '../text/line-codes.js';
import { HintIndex } from './hint-index.js';

const RECOGNISERS: readonly Recogniser[] = [
  ...IDENTITY_RECOGNISERS,
  ...MAP_RECOGNISERS,
  ...NODE_RECOGNISERS,
  ...ZONE_RECOGNISERS,
  ...TOTAL_RECOGNISERS,
  ...USE_RECOGNISERS,
  ...MEMBLOCK_RECOGNISERS,
  ...FAILURE_RECOGNISERS,
  ...DEVICE_TREE_RECOGNISERS,
  ...BANK_RECOGNISERS,
];
const HINTS = new HintIndex(RECOGNISERS.map(({ hint }) => hint));

/**
 * Numbers of the recognisers that a line may belong to, in their order.
 * @param codes  those of the line, where they are known
 * @returns not to be kept: the next question changes it
 */
export function candidates(text: string, codes?: LineCodes): readonly number[] {
  return HINTS.matching(text, codes);
}

/** Whether a line may begin a record; cheap. */
export function mayBeRecord(text: string): boolean {
  return candidates(text).length > 0;
}

/**
 * Reads a line by the recognisers it may belong to, in their order, until one takes it.
 * @param final  no more text will come
 * @param of     what {@link candidates} says of the line
 */
export function recognise(
  text: string,
  draft: Draft,
  line: number,
  { final = false, of = candidates(text) }: { final?: boolean; of?: readonly number[] } = {},
): Outcome {
  let partial: Outcome;
  for (const index of of) {
    const outcome = RECOGNISERS[index]!.read(text, draft, line, final);
    if (outcome === 'taken') return outcome;
    partial ??= outcome;
  }
  return partial;
}

/** What a line would be: read into a draft that is thrown away. */
export function tryOut(text: string): { isRecord: boolean; problems: number } {
  const scratch = new Draft(0);
  const isRecord = recognise(text, scratch, 0) === 'taken';
  return { isRecord, problems: scratch.problems.list().length };
}
