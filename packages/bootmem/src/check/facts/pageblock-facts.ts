/**
 * How large pageblocks are, and how many a zone has (/proc/pagetypeinfo).
 */
import { normalise, subtract } from '@bootmem/firmware-map/derive';
import type { PfnRange } from '@bootmem/memmap';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { overlapping, overlaps, toPageFrames } from '../../plan/page-frames.js';
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
  for (const row of info.blocks) {
    const zone = plan.layout.nodes
      .find((node) => node.nid === row.nid)
      ?.zones.find((candidate) => candidate.zone === row.zone);
    const kernel = Object.values(row.counts).reduce((sum, count) => sum + count, 0);
    const { addedBlocks } = grownZone(plan, added, row);
    const count = (of: LayoutPlan): number =>
      (zone === undefined ? 0 : countBlocks(of, zone, size)) +
      (addedBlocks * added.blockPages) / size;
    const ours = count(plan);
    const subject = `node ${row.nid} ${row.zone}`;
    if (kernel !== ours && plan.otherModels.some((one) => count({ ...plan, ...one }) === kernel)) {
      facts.open('pageblocks', subject, kernel, NO_MODEL);
    } else facts.compare('pageblocks', subject, kernel, ours);
  }
}

const NO_MODEL =
  'how the build keeps its descriptors shows in lines about unavailable pages that the log lacks';

/**
 * Counts as the kernel walks: from the zone's first page in steps of a block, aligned or not; a step counts
 * when its sub-section holds memory and its descriptor names this zone.
 */
function countBlocks(
  plan: LayoutPlan,
  zone: { nid: number; zone: string; startPfn: number; endPfn: number },
  size: number,
): number {
  const holes = plan.holes
    .flatMap(({ ranges }) => ranges)
    .filter((piece) => piece.nid === zone.nid && piece.zone === zone.zone);
  let count = 0;
  const unmapped = unmappedMemory(plan);
  for (let pfn = zone.startPfn; pfn < zone.endPfn; pfn += size) {
    if (!hasMemoryNear(plan, pfn) || overlaps(unmapped, pfn, pfn + 1)) continue;
    if (ownsPfn(plan, zone, { pfn, holes })) count++;
  }
  return count;
}

/**
 * Memory that is never mapped, holes among it, where a kernel asks of each page whether it is mapped memory: 64-bit ARM to 5.13.
 * @kernel pfn_valid
 */
function unmappedMemory({ description, kernel, derived, pageSize }: LayoutPlan): PfnRange[] {
  if (description.architecture !== 'arm64' || !kernel.printed.mapsByBlock) return [];
  const mapped = normalise(derived.memory.filter(({ noMap }) => noMap !== true));
  const all = [{ start: 0, end: Number.MAX_SAFE_INTEGER }];
  return toPageFrames(subtract(all, mapped), pageSize, 'inward');
}

/** Bytes of a sub-section, the grain in which the kernel knows what is online since 5.12; before, a section. */
const SUBSECTION = 2 ** 21;

/** Whether the grain of a page holds any memory. */
function hasMemoryNear(plan: LayoutPlan, pfn: number): boolean {
  // One array of descriptors has all pages there are.
  if (plan.descriptors.array !== undefined) return true;
  const grain =
    plan.kernel.printed.presence === 'subsection'
      ? SUBSECTION / plan.pageSize
      : plan.pagesPerSection;
  const start = Math.floor(pfn / grain) * grain;
  return overlaps(plan.memory, start, start + grain);
}

/** Whose the descriptors of holes are; the newer forms of the line about them come with the newer way. */
function holeOwner({ description, kernel }: LayoutPlan): PrintedProfile['holeOwner'] {
  const isNew = description.printed.unavailable.some(({ zone }) => zone !== undefined);
  return isNew ? 'memory-above' : kernel.printed.holeOwner;
}

/** Whether the descriptor of a page names this zone: its memory, or a hole handed to it. */
function ownsPfn(
  plan: LayoutPlan,
  zone: { nid: number; zone: string },
  { pfn, holes }: { readonly pfn: number; readonly holes: readonly PfnRange[] },
): boolean {
  const [range] = overlapping(plan.memory, pfn, pfn + 1);
  if (range !== undefined) return range.nid === zone.nid;
  const owner = holeOwner(plan);
  if (owner === 'span') return true;
  if (owner === 'first-zone') {
    const [first] = plan.layout.limits;
    return zone.nid === 0 && zone.zone === first?.zone;
  }
  return overlaps(holes, pfn, pfn + 1);
}
