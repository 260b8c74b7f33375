/**
 * `cma=` and `hugetlb_cma=`: areas that the page allocator may lend to movable pages.
 *
 * ```
 * memory ends at or below 4 GiB + size     ◀── from the top
 * memory goes further                      4 GiB ──▶ from below, so that pages move out of it to the top
 * ```
 * arm64 and riscv64 keep the area of `cma=` within the first zone, for devices that reach no further.
 * @kernel cma_declare_contiguous_nid, dma_contiguous_reserve
 */
import { parseSize, splitCommandLine } from '@bootmem/firmware-map';
import type { MachineDescription } from '@bootmem/firmware-map';
import type { ByteSpan } from '../../explain-result.js';
import { GIGANTIC, hasGiganticPages } from './huge-pages.js';
import { takeFor } from './wishes.js';
import type { NoModel, Wish, WishContext, WishOutcome } from './wishes.js';

const LOW_END = 2 ** 32;

/** Alignment of an area: a pageblock. */
function alignOf({ plan }: WishContext): number {
  const { pageSize, description } = plan;
  return (description.proc.pagetypeinfo?.pagesPerBlock ?? pageSize / 8) * pageSize;
}

function areaOf(
  context: WishContext,
  size: number,
  bounds: {
    readonly align: number;
    readonly from?: number;
    readonly to?: number;
    readonly nid?: number;
  },
): ByteSpan | undefined {
  const { memblock } = context;
  const request = { size, caller: 'cma_declare_contiguous_nid', ...bounds };
  if (
    memblock.direction === 'top-down' &&
    memblock.endOfDram >= LOW_END + size &&
    bounds.from === undefined &&
    (bounds.to ?? Infinity) > LOW_END
  ) {
    memblock.direction = 'bottom-up';
    const found = takeFor(context, { ...request, from: LOW_END });
    memblock.direction = 'top-down';
    if (found !== undefined) return found;
  }
  return takeFor(context, request);
}

/** Where the first zone ends, on architectures whose devices reach no further. */
function deviceLimit({ plan }: WishContext): number | undefined {
  const { architecture } = plan.description;
  if (architecture !== 'arm64' && architecture !== 'riscv64') return undefined;
  const zones = plan.layout.nodes.flatMap((node) => node.zones);
  for (const name of ['DMA', 'DMA32']) {
    const ends = zones.flatMap(({ zone, spannedPages, endPfn }) =>
      zone === name && spannedPages > 0 ? [endPfn * plan.pageSize] : [],
    );
    if (ends.length > 0) return Math.max(...ends);
  }
  return undefined;
}

const labelOf = (id: string): string =>
  id === 'cma' ? 'contiguous area (cma)' : `contiguous area, ${id}`;
const noModel = (id: string, why: string): NoModel => ({ id, label: labelOf(id), why });

function outcomeOf(id: string, asked: number, range: ByteSpan | undefined): WishOutcome {
  return {
    id,
    kind: 'cma',
    label: labelOf(id),
    asked,
    ranges: range === undefined ? [] : [range],
    ...(range === undefined ? { failed: 'no free stretch is large enough' } : {}),
  };
}

/**
 * `cma=SIZE[@START[-END]]`. Without it, x86 has no area; elsewhere the build or the device tree says how large it is, as
 * today's log shows if its command line does not say either.
 */
function usualWish(today: MachineDescription, differs: boolean): Wish | NoModel | undefined {
  if (today.architecture === 'x86_64' || today.architecture === 'i386') return undefined;
  const isUsual = today.options.cma === undefined;
  const [area] = today.printed.cma ?? [];
  if (!isUsual || differs)
    return noModel('cma', 'how large the area is without cma= is a choice of the build');
  return area === undefined ? undefined : cmaWish(String(area.bytes));
}

function cmaWish(value: string): Wish | NoModel | undefined {
  const match = /^(\w+)(?:@(\w+)(?:-(\w+))?)?$/.exec(value);
  const [bytes, from, to] = [match?.[1], match?.[2], match?.[3]].map((part) =>
    part === undefined ? undefined : parseSize(part),
  );
  if (bytes === undefined) return noModel('cma', `cma=${value} is no size`);
  if (bytes === 0) return undefined;
  return {
    stage: 'nodes',
    reserve: (context) => {
      const align = alignOf(context);
      const size = Math.ceil(bytes / align) * align;
      const isFixed = from !== undefined && to === undefined;
      const end = isFixed ? from + size : (to ?? deviceLimit(context));
      const range = areaOf(context, size, {
        align,
        ...(from === undefined ? {} : { from }),
        ...(end === undefined ? {} : { to: end }),
      });
      return [outcomeOf('cma', size, range)];
    },
  };
}

/** `hugetlb_cma=SIZE`: dealt out to the nodes. */
function hugetlbCmaWish(
  value: string,
  description: MachineDescription,
): Wish | NoModel | undefined {
  if (!hasGiganticPages(description))
    return noModel('hugetlb', 'hugetlb_cma= has no effect: this processor has no pages of 1 GiB');
  const bytes = parseSize(value);
  if (bytes === undefined) return noModel('hugetlb', 'hugetlb_cma= by node is not modelled');
  return {
    stage: 'nodes',
    reserve: (context) => {
      const nids = context.plan.layout.nodes
        .filter((node) => node.presentPages > 0)
        .map(({ nid }) => nid);
      const each = Math.ceil(bytes / nids.length);
      let left = bytes;
      return nids.flatMap((nid) => {
        const size = Math.ceil(Math.min(each, left) / GIGANTIC) * GIGANTIC;
        if (size <= 0) return [];
        const range = areaOf(context, size, { align: GIGANTIC, nid });
        if (range !== undefined) left -= size;
        return [outcomeOf(`hugetlb node ${nid}`, size, range)];
      });
    },
  };
}

/**
 * The areas that a command line asks for, and what cannot be said.
 * @param description  the other boot's inputs
 * @param today        the log's
 */
export function cmaWishes(
  description: MachineDescription,
  today: MachineDescription,
): (Wish | NoModel)[] {
  const words = splitCommandLine(description.commandLine?.text ?? '');
  const last = (name: string): string | undefined =>
    words.findLast((word) => word.name === name)?.value;
  const [cma, hugetlb] = [last('cma'), last('hugetlb_cma')];
  return [
    cma === undefined
      ? usualWish(today, description.kernel?.release !== today.kernel?.release)
      : cmaWish(cma),
    hugetlb === undefined ? undefined : hugetlbCmaWish(hugetlb, description),
  ].filter((wish) => wish !== undefined);
}
