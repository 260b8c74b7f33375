/**
 * The state at hand-over of a boot with other options: by doing the log's requests again, or, without `memblock=debug`,
 * from what lines and rules name, less what options no longer ask for, with what they ask for now.
 */
import { Memblock, MemFlags } from '@bootmem/memblock';
import type { MachineDescription } from '@bootmem/firmware-map';
import { isStep, normalise, subtract, totalLength } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import { Quotes } from '../accounts/base/quotes.js';
import { ROWS } from '../accounts/base/row-kinds.js';
import { bootReservations, onTop } from '../accounts/boot-reservations.js';
import { descriptors } from '../accounts/reserved/descriptors.js';
import { giganticPages } from '../accounts/reserved/totals.js';
import type { ByteSpan } from '../explain-result.js';
import type { LayoutPlan } from '../plan/layout-plan.js';
import { rerun } from './rerun/rerun.js';
import type { Rerun } from './rerun/rerun.js';
import type { RerunInput } from './rerun/types.js';
import type { WishOutcome, WishStage } from './requests/wishes.js';

/** A boot as far as the hand-over. */
export interface BootState {
  readonly memblock: Memblock;
  /** What of the log's description it changes: places that options moved. */
  readonly description: MachineDescription;
  /** Why pages may be off; empty when the state follows operation by operation. */
  readonly doubts: readonly string[];
  readonly outcomes: readonly WishOutcome[];
  /** Data of nodes, where they lie; absent where that does not follow. */
  readonly nodeData?: ReadonlyMap<number, ByteSpan>;
  /** Addresses that came out as in the log; of the rerun. */
  readonly reproduced?: { readonly equal: number; readonly of: number };
}

/** Why nothing is exact without the operations. */
export const NO_DEBUG =
  'without memblock=debug in the log, early allocations are known as amounts only';

/** Works the state out. */
export function* stateOfBoot(input: RerunInput): Steps<BootState> {
  const again = yield* rerun(input);
  yield;
  return again === undefined ? yield* estimated(input) : withPlaces(input, again);
}

function withPlaces(input: RerunInput, again: Rerun): BootState {
  const { description } = input.other;
  const { memblock, log, ramdisk, nodeData, outcomes, doubts, reproduced } = again;
  const line = description.printed.ramdisk?.line ?? 0;
  return {
    memblock,
    doubts,
    outcomes,
    nodeData,
    reproduced,
    description: {
      ...description,
      memblock: log,
      printed: {
        ...withOutcomes(description.printed, outcomes),
        ...(ramdisk === undefined ? {} : { ramdisk: { ...ramdisk, line } }),
      },
    },
  };
}

/** The lines that a log would have of what options got. */
function withOutcomes(
  printed: MachineDescription['printed'],
  outcomes: readonly WishOutcome[],
): MachineDescription['printed'] {
  const of = (kind: WishOutcome['kind']): ByteSpan[] =>
    outcomes.flatMap((outcome) => (outcome.kind === kind ? outcome.ranges : []));
  const cma = of('cma').map(({ start, end }) => ({ start, bytes: end - start, line: 0 }));
  return {
    ...printed,
    crashkernel: of('crashkernel').map((range) => ({ ...range, line: 0 })),
    ...(cma.length === 0 ? {} : { cma }),
  };
}

/** Kinds of reservations that options ask for: today's go. */
const ASKED = new Set<string>([ROWS.crashkernel.label, ROWS.cma.label]);

/** Amounts without a place lie at the tops of nodes, as `boot` puts them; what is asked for comes after them. */
function* estimated({ today, other, wishes, move }: RerunInput): Steps<BootState> {
  const all = bootReservations(today).map((one) => move?.of(one) ?? one);
  const placed = all.filter(({ why, assumed }) => !ASKED.has(why) && !(assumed && why === TOPS));
  const top = all.filter(({ why, assumed }) => assumed && why === TOPS);
  const gigantic = giganticPages(today).reduce(
    (sum, { pageBytes, preallocated }) => sum + pageBytes * preallocated,
    0,
  );
  const amount =
    totalLength(normalise(top)) - gigantic + descriptorBytes(other) - descriptorBytes(today);
  yield;
  const memblock = new Memblock({ profile: other.kernel.memblock });
  for (const [index, range] of other.derived.memory.entries()) {
    if (isStep(index)) yield;
    const { start, end, nid, hotplug } = range;
    memblock.add(start, end - start, { nid, flags: hotplug ? MemFlags.HOTPLUG : MemFlags.NONE });
  }
  yield;
  for (const [index, { start, end }] of placed.entries()) {
    if (isStep(index)) yield;
    memblock.reserve(start, end - start);
  }
  yield;
  const free = subtract(normalise(other.derived.memory), placed);
  for (const { start, end } of onTop(other, free, Math.max(0, amount))) {
    memblock.reserve(start, end - start);
  }
  const operations: MachineDescription['memblock']['operations'][number][] = [];
  const outcomes = (['nodes', 'gigantic', 'command-line'] as const).flatMap((stage: WishStage) =>
    wishes
      .filter((wish) => wish.stage === stage)
      .flatMap((wish) =>
        wish.reserve({ memblock, plan: other, line: 0, record: (one) => operations.push(one) }),
      ),
  );
  const { description } = other;
  return {
    memblock,
    outcomes,
    doubts: [NO_DEBUG],
    description: {
      ...description,
      memblock: { dumps: [], operations },
      printed: withOutcomes(description.printed, outcomes),
    },
  };
}

/** What `boot` calls amounts that it puts at the tops of nodes. */
const TOPS = 'descriptors and early allocations';

/** Bytes of page descriptors. */
export function descriptorBytes(plan: LayoutPlan): number {
  return descriptors({ plan, quote: new Quotes() }).reduce((sum, { bytes = 0 }) => sum + bytes, 0);
}
