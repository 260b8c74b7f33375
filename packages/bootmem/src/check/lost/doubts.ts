/**
 * Whether the log is whole. A ring loses lines, a console drops them, a filter leaves some out; then an input is missing, and
 * what is worked out from the others is no word about the kernel.
 *
 * ```
 *            map lines          ∌ 0x100000000…   ← a line of the map is lost
 *            early node ranges  ∋ 0x100000000…
 * ```
 * Evidence is what the kernel itself printed twice, in two ways; our own results are none. A value that agrees stands all
 * the same; one that does not is "not derivable" where the kind of line that is lost can decide it, and "differs" elsewhere.
 */
import type { Steps } from '@bootmem/firmware-map/derive';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { freeEvidence } from './free-evidence.js';
import { earlyRangeEvidence, mapEvidence } from './map-evidence.js';
import { memblockEvidence } from './memblock-evidence.js';
import { nodeEvidence } from './node-evidence.js';
import { NO_RELEASE } from './reasons.js';
import { descriptorEvidence, endsWithZones, sizeEvidence, zoneEvidence } from './zone-evidence.js';

/** Facts that rest on memblock's operations, and on nothing that other evidence speaks of. */
const OF_MEMBLOCK: ReadonlySet<string> = new Set([
  'managed pages',
  'deferred pages',
  'watermarks',
  'lowmem reserve',
  'page set batch',
  'page set high',
]);

/** Facts that no line about nodes decides: sums and limits of the whole machine. */
const OF_MACHINE: ReadonlySet<string> = new Set([
  'zone range',
  'Memory: total',
  'Memory: absent',
  'policy zone',
]);

/** Facts that no line about the ranges of zones decides: those of memory and of nodes. */
const ZONELESS: ReadonlySet<string> = new Set([
  'early node range',
  'node extent',
  'node total pages',
  'Memory: total',
  'Memory: absent',
  'fallback order',
  'zonelists',
  'memblock dump',
]);

/** Sums over zones: what lies above the last is in none of them. */
const OF_ALL_ZONES: ReadonlySet<string> = new Set(['node total pages', 'Memory: total']);

/** Facts that are pages of zones and nodes. */
const OF_SIZES: ReadonlySet<string> = new Set(['node total pages', 'zone pages']);

/** A value that does not agree. */
export interface Mismatch {
  readonly fact: string;
  readonly kernel: string;
  readonly ours: string;
}

/** Why a value may rest on a log that lacks lines; `undefined` where nothing tells so. */
export type Doubt = (mismatch: Mismatch) => string | undefined;

/** One kind of evidence: what is missing, and which facts can be wrong for it. */
interface Evidence {
  readonly why: string | undefined;
  readonly touches: (mismatch: Mismatch) => boolean;
}

/**
 * Evidence against a log.
 * @param plan  a planned machine
 */
export function* doubtsOf(plan: LayoutPlan): Steps<Doubt> {
  const { description } = plan;
  const isLog = description.source.format === 'boot-log';
  const noRelease = description.kernel?.line === 0 ? NO_RELEASE : undefined;
  const noCommandLine =
    isLog && description.commandLine === undefined
      ? 'the command line is not in the log'
      : undefined;
  // Reserves that follow final managed pages rest on /proc/zoneinfo alone.
  const followsLog = ({ fact }: Mismatch): boolean =>
    fact !== 'lowmem reserve' || plan.kernel.printed.reservesOf !== 'managed-pages';
  const map = yield* mapEvidence(plan);
  yield;
  const early = earlyRangeEvidence(plan);
  yield;
  const nodes = nodeEvidence(plan);
  yield;
  const zones = zoneEvidence(plan);
  yield;
  const memblock = memblockEvidence(plan);
  yield;
  const isKept = description.proc.memblock !== undefined;
  const evidence: readonly Evidence[] = [
    { why: noRelease, touches: () => true },
    { why: noCommandLine, touches: followsLog },
    // The replay begins with a dump, which has all of the map in it.
    { why: map, touches: (one) => followsLog(one) && one.fact !== 'memblock dump' },
    {
      why: early,
      touches: ({ fact }) =>
        fact === 'early node range' || (fact === 'memblock dump' && hasTreeNodes(plan)),
    },
    { why: nodes, touches: (one) => followsLog(one) && !OF_MACHINE.has(one.fact) },
    { why: zones, touches: (one) => followsLog(one) && !ZONELESS.has(one.fact) },
    {
      why: endsWithZones(plan) ? zones : undefined,
      touches: (one) => OF_ALL_ZONES.has(one.fact) && tooMuch(one) > 0,
    },
    { why: sizeEvidence(plan), touches: ({ fact }) => OF_SIZES.has(fact) },
    { why: descriptorEvidence(plan), touches: ({ fact }) => fact === 'Total pages' },
    // Zonelists are built before anything is given back.
    {
      why: memblock,
      touches: (one) =>
        one.fact === 'Total pages' || (OF_MEMBLOCK.has(one.fact) && followsLog(one)),
    },
    {
      why: memblock === undefined ? freeEvidence(plan) : undefined,
      touches: (one) =>
        OF_MEMBLOCK.has(one.fact) &&
        followsLog(one) &&
        // Pages that a lost line gave back are missing in ours: where we have more than the kernel, no such line is lost. Lists
        // that were kept may call a page free that a line would tell to be nobody's: the last one of an initrd.
        !(one.fact === 'managed pages' && tooMuch(one) > (isKept ? 1 : 0)),
    },
  ];
  const found = evidence.filter(({ why }) => why !== undefined);
  return (mismatch) => found.find(({ touches }) => touches(mismatch))?.why;
}

/** Whether nodes may come from a device tree, so that a replay takes them from early ranges. */
function hasTreeNodes({ description: { architecture, numa } }: LayoutPlan): boolean {
  return architecture !== 'x86_64' && architecture !== 'i386' && numa.srat.length === 0;
}

/** How much more we count than the kernel. */
function tooMuch({ kernel, ours }: Mismatch): number {
  return Number.parseInt(ours, 10) - Number.parseInt(kernel, 10);
}
