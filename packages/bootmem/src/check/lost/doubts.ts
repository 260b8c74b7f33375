/**
 * Whether the log is whole. A ring loses lines, a console drops them, a filter leaves some out; then an input is missing, and
 * what is worked out from the others is no word about the kernel.
 *
 * ```
 *            map lines          ∌ 0x100000000…   ← a line of the map is lost
 *            early node ranges  ∋ 0x100000000…
 * ```
 * Evidence is what the kernel itself printed twice, in two ways; our own results are none. A value that agrees stands all
 * the same; one that does not is "not derivable" where there is evidence, and "differs" where there is none.
 */
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { NO_RELEASE } from '../facts/layout-facts.js';
import { freeEvidence } from './free-evidence.js';
import { mapEvidence } from './map-evidence.js';
import { memblockEvidence } from './memblock-evidence.js';
import { nodeEvidence } from './node-evidence.js';
import { zoneEvidence } from './zone-evidence.js';

/** Facts that rest on memblock's operations, and on nothing that other evidence speaks of. */
const OF_MEMBLOCK: ReadonlySet<string> = new Set([
  'managed pages',
  'deferred pages',
  'watermarks',
  'lowmem reserve',
  'page set batch',
  'page set high',
]);

/** Why a kind of fact may rest on a log that lacks lines; `undefined` where nothing tells so. */
export type Doubt = (fact: string) => string | undefined;

/**
 * Evidence against a log.
 * @param plan  a planned machine
 */
export function doubtsOf(plan: LayoutPlan): Doubt {
  const { description } = plan;
  const isLog = description.source.format === 'boot-log';
  const all =
    (description.kernel?.line === 0 ? NO_RELEASE : undefined) ??
    (isLog && description.commandLine === undefined
      ? 'the command line is not in the log'
      : undefined) ??
    mapEvidence(plan) ??
    nodeEvidence(plan) ??
    zoneEvidence(plan);
  if (all !== undefined) return () => all;
  const memblock = memblockEvidence(plan);
  const frees = memblock ?? freeEvidence(plan);
  // Zonelists are built before anything is given back.
  return (fact) => (fact === 'Total pages' ? memblock : OF_MEMBLOCK.has(fact) ? frees : undefined);
}
