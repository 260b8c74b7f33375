/** Memory blocks, as `lsmem` shows them: ranges of one state, node and zone. */
import type { LoadedMachine } from '../input/types.js';
import { planLayout } from '../plan/layout-plan.js';
import type { LayoutPlan } from '../plan/layout-plan.js';
import type { BlockRangeView, LsmemView } from '../view-result.js';

/** Bytes of a block where the input does not say. */
const USUAL_BLOCK = 2 ** 27;

/** One block. */
interface Block {
  readonly index: number;
  readonly online: boolean;
  readonly nid: number;
  readonly zones: readonly string[];
}

/**
 * @param input  a loaded machine; blocks recorded beside it count, else every block that holds memory is online
 * @throws BootmemError ERR_BOOTMEM_NO_MEMORY_MAP when no memory follows from the description
 */
export function lsmemView(input: LoadedMachine): LsmemView {
  const plan = planLayout(input.description);
  const blockBytes =
    input.blocks?.blockBytes ?? input.description.printed.blockSize?.bytes ?? USUAL_BLOCK;
  const blocks =
    input.blocks?.blocks.map(({ index, online, nid, zone }) => ({
      index,
      online,
      nid,
      zones: zone === '' || zone === 'none' ? zonesOf(plan, index, blockBytes) : [zone],
    })) ?? blocksOf(plan, blockBytes);
  const ranges = joined(blocks, blockBytes);
  const sum = (online: boolean): number =>
    ranges.reduce((bytes, one) => (one.online === online ? bytes + one.end - one.start : bytes), 0);
  return {
    schema: 'bootmem/lsmem',
    version: 1,
    source: input.source,
    blockBytes,
    ranges,
    onlineBytes: sum(true),
    offlineBytes: sum(false),
  };
}

function zonesOf({ layout, pageSize }: LayoutPlan, index: number, blockBytes: number): string[] {
  const [first, last] = [(index * blockBytes) / pageSize, ((index + 1) * blockBytes) / pageSize];
  const zones = layout.nodes.flatMap((node) =>
    node.zones.flatMap(({ zone, startPfn, endPfn, presentPages }) =>
      presentPages > 0 && startPfn < last && endPfn > first ? [zone] : [],
    ),
  );
  return [...new Set(zones)];
}

/** Blocks that hold memory. A block of two nodes counts as the first one's. */
function blocksOf(plan: LayoutPlan, blockBytes: number): Block[] {
  const blocks = new Map<number, Block>();
  const pages = blockBytes / plan.pageSize;
  for (const { startPfn, endPfn, nid } of plan.memory) {
    for (let index = Math.floor(startPfn / pages); index * pages < endPfn; index++) {
      if (blocks.has(index)) continue;
      blocks.set(index, { index, online: true, nid, zones: zonesOf(plan, index, blockBytes) });
    }
  }
  return [...blocks.values()];
}

function joined(blocks: readonly Block[], blockBytes: number): BlockRangeView[] {
  const ranges: { -readonly [Key in keyof BlockRangeView]: BlockRangeView[Key] }[] = [];
  for (const { index, online, nid, zones } of blocks.toSorted((a, b) => a.index - b.index)) {
    const last = ranges.at(-1);
    const isSame =
      last?.lastBlock === index - 1 &&
      last.online === online &&
      last.nid === nid &&
      last.zones.join() === zones.join();
    const end = (index + 1) * blockBytes;
    if (isSame) Object.assign(last, { lastBlock: index, end });
    else {
      const start = index * blockBytes;
      ranges.push({ start, end, online, nid, firstBlock: index, lastBlock: index, zones });
    }
  }
  return ranges;
}
