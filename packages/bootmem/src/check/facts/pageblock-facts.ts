/**
 * How large pageblocks are, and how many a zone has (/proc/pagetypeinfo).
 */
import { intersect, normalise, subtract } from '@bootmem/firmware-map/derive';
import type { ByteRange } from '@bootmem/firmware-map/types';
import type { PfnRange } from '@bootmem/memmap';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { byNode } from '../../plan/by-node.js';
import { toPageFrames } from '../../plan/page-frames.js';
import type { PrintedProfile } from '../../plan/releases.js';
import { grownZone } from '../added-memory.js';
import type { AddedMemory } from '../added-memory.js';
import type { FactList } from '../fact-list.js';

/** Bytes of huge pages where they are not what one entry of a middle page table of 8-byte entries maps. */
const HUGE_PAGES: Partial<Record<string, readonly number[]>> = {
  // With and without PAE.
  i386: [2 ** 21, 2 ** 22],
  // With radix and with hash page tables.
  ppc64: [2 ** 21, 2 ** 24],
  s390x: [2 ** 20],
};

/**
 * Pages of a pageblock: as /proc/pagetypeinfo says it, which knows of `CONFIG_PAGE_BLOCK_MAX_ORDER`; else a huge page,
 * of which some architectures have either of two sizes.
 */
export function pageblockSizes({ description, pageSize }: LayoutPlan): number[] {
  const known = description.proc.pagetypeinfo?.pagesPerBlock;
  if (known !== undefined) return [known];
  const sizes = HUGE_PAGES[description.architecture ?? ''] ?? [(pageSize * pageSize) / 8];
  return sizes.map((bytes) => bytes / pageSize);
}

/** Pageblocks of a zone: those that begin inside its span and have descriptors. */
export function pageblockFacts(plan: LayoutPlan, added: AddedMemory, facts: FactList): void {
  const info = plan.description.proc.pagetypeinfo;
  if (info === undefined || plan.limits.guessed !== undefined) return;
  const [size = plan.pageSize / 8] = pageblockSizes(plan);
  const nodes = new Map(plan.layout.nodes.map((node) => [node.nid, node]));
  const own = new BlockCounter(plan, size);
  let others: BlockCounter[] | undefined;
  for (const row of info.blocks) {
    const zone = nodes.get(row.nid)?.zones.find((candidate) => candidate.zone === row.zone);
    const kernel = Object.values(row.counts).reduce((sum, count) => sum + count, 0);
    const { addedBlocks } = grownZone(plan, added, row);
    const count = (counter: BlockCounter): number =>
      (zone === undefined ? 0 : counter.of(zone)) + (addedBlocks * added.blockPages) / size;
    const ours = count(own);
    const subject = `node ${row.nid} ${row.zone}`;
    if (kernel !== ours) {
      others ??= plan.otherModels.map((one) => new BlockCounter({ ...plan, ...one }, size));
    }
    if (kernel !== ours && others?.some((one) => count(one) === kernel) === true) {
      facts.open('pageblocks', subject, kernel, NO_MODEL);
    } else facts.compare('pageblocks', subject, kernel, ours);
  }
}

const NO_MODEL =
  'how the build keeps its descriptors shows in lines about unavailable pages that the log lacks';

type CountedZone = Pick<NodeZone, 'nid' | 'zone' | 'startPfn' | 'endPfn'>;
type NodeZone = LayoutPlan['layout']['nodes'][number]['zones'][number];

/** Page frames as ranges for the arithmetic of sets. */
function span({ startPfn, endPfn }: PfnRange): ByteRange {
  return { start: startPfn, end: endPfn };
}

/** Everything that is in none of some sorted, disjoint ranges. */
function gapsOf(ranges: readonly ByteRange[]): ByteRange[] {
  return subtract([{ start: 0, end: Number.MAX_SAFE_INTEGER }], ranges);
}

/**
 * Counts as the kernel walks: from the zone's first page in steps of a block, aligned or not; a step counts
 * when its sub-section holds memory and its descriptor names this zone. The steps are not walked: how many of them lie in a
 * range follows from its ends, so the count costs what the ranges of memory cost, however far a zone reaches.
 */
class BlockCounter {
  readonly #plan: LayoutPlan;
  readonly #size: number;
  /** Where steps count at all. */
  readonly #described: readonly ByteRange[];
  readonly #memory: ReadonlyMap<number, readonly ByteRange[]>;
  readonly #gaps: readonly ByteRange[];
  readonly #holes: ReadonlyMap<string, readonly ByteRange[]>;
  readonly #counts = new Map<string, number>();

  constructor(plan: LayoutPlan, size: number) {
    this.#plan = plan;
    this.#size = size;
    this.#described = intersect(withMemoryNear(plan), gapsOf(unmappedMemory(plan)));
    this.#memory = new Map(
      [...byNode(plan.memory)].map(([nid, own]) => [nid, normalise(own.map(span))]),
    );
    this.#gaps = gapsOf(normalise(plan.memory.map(span)));
    const holes = new Map<string, ByteRange[]>();
    for (const piece of plan.holes.flatMap(({ ranges }) => ranges)) {
      const own = holes.get(keyOf(piece));
      if (own === undefined) holes.set(keyOf(piece), [span(piece)]);
      else own.push(span(piece));
    }
    this.#holes = new Map([...holes].map(([key, own]) => [key, normalise(own)]));
  }

  /** Pageblocks of a zone. */
  of(zone: CountedZone): number {
    const known = this.#counts.get(keyOf(zone));
    if (known !== undefined) return known;
    const here = intersect([span(zone)], this.#described);
    const own = intersect(here, this.#memory.get(zone.nid) ?? []);
    const count = this.#steps(zone, own) + this.#steps(zone, this.#ownHoles(zone, here));
    this.#counts.set(keyOf(zone), count);
    return count;
  }

  /** Descriptors of holes that name this zone. */
  #ownHoles(zone: CountedZone, here: readonly ByteRange[]): readonly ByteRange[] {
    const holes = intersect(here, this.#gaps);
    const owner = holeOwner(this.#plan);
    if (owner === 'span') return holes;
    if (owner === 'first-zone') {
      const [first] = this.#plan.layout.limits;
      return zone.nid === 0 && zone.zone === first?.zone ? holes : [];
    }
    return intersect(holes, this.#holes.get(keyOf(zone)) ?? []);
  }

  /** Steps of a zone's walk that end in some ranges of it. */
  #steps({ startPfn }: CountedZone, ranges: readonly ByteRange[]): number {
    const before = (pfn: number): number => Math.ceil((pfn - startPfn) / this.#size);
    return ranges.reduce((sum, { start, end }) => sum + before(end) - before(start), 0);
  }
}

function keyOf({ nid, zone }: { readonly nid: number; readonly zone: string }): string {
  return `${nid}/${zone}`;
}

/**
 * Memory that is never mapped, holes among it, where a kernel asks of each page whether it is mapped memory: 64-bit ARM to 5.13.
 * @kernel pfn_valid
 */
function unmappedMemory({ description, kernel, derived, pageSize }: LayoutPlan): ByteRange[] {
  if (description.architecture !== 'arm64' || !kernel.printed.mapsByBlock) return [];
  const mapped = normalise(derived.memory.filter(({ noMap }) => noMap !== true));
  return toPageFrames(gapsOf(mapped), pageSize, 'inward').map(span);
}

/** Bytes of a sub-section, the grain in which the kernel knows what is online since 5.12; before, a section. */
const SUBSECTION = 2 ** 21;

/** Pages whose grain holds any memory. */
function withMemoryNear(plan: LayoutPlan): ByteRange[] {
  // One array of descriptors has all pages there are.
  if (plan.descriptors.array !== undefined) return [{ start: 0, end: Number.MAX_SAFE_INTEGER }];
  const grain =
    plan.kernel.printed.presence === 'subsection'
      ? SUBSECTION / plan.pageSize
      : plan.pagesPerSection;
  return normalise(
    plan.memory.map(({ startPfn, endPfn }) => ({
      start: Math.floor(startPfn / grain) * grain,
      end: Math.ceil(endPfn / grain) * grain,
    })),
  );
}

/** Whose the descriptors of holes are; the newer forms of the line about them come with the newer way. */
function holeOwner({ description, kernel }: LayoutPlan): PrintedProfile['holeOwner'] {
  const isNew = description.printed.unavailable.some(({ zone }) => zone !== undefined);
  return isNew ? 'memory-above' : kernel.printed.holeOwner;
}
