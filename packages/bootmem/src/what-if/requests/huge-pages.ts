/**
 * `hugepagesz=`, `hugepages=`, `default_hugepagesz=`: gigantic pages are taken before there is a page allocator; smaller
 * ones come from it later, and no early memory is set apart for them.
 *
 * ```
 * hugepages=5 on two nodes     node 0: 1 3 5     node 1: 2 4      in turn; what a node lacks, another gives
 * hugepages=0:2,1:3            node 0: 2         node 1: 3        each from its own node
 * ```
 * @kernel hugetlb_hstate_alloc_pages, alloc_bootmem_huge_page
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import type { ByteSpan } from '../../explain-result.js';
import { takeFor } from './wishes.js';
import type { NoModel, Wish, WishContext, WishOutcome } from './wishes.js';

/** Bytes of a gigantic page of x86-64. */
export const GIGANTIC = 2 ** 30;
const MIB = 2 ** 20;

/** Sizes that the kernel registers on this machine, as its log says. */
function sizesOf({ printed }: MachineDescription): number[] {
  return printed.hugetlb.map(({ pageBytes }) => pageBytes);
}

/** Whether the machine has pages of 1 GiB. */
export function hasGiganticPages(description: MachineDescription): boolean {
  return sizesOf(description).includes(GIGANTIC);
}

/** What a command line asks for, one entry a size. */
export interface HugePagesAsked {
  readonly pageBytes: number;
  readonly count?: number;
  readonly perNode?: readonly { readonly nid: number; readonly count: number }[];
}

/** What is asked for, sizes filled in; sizes that the machine lacks are left out, as the kernel does. */
export function hugePagesAsked(description: MachineDescription): HugePagesAsked[] {
  const { options, pageSize = 4096 } = description;
  const known = sizesOf(description);
  const usual = (pageSize * pageSize) / 8;
  const isKnown = (size: number): boolean =>
    known.length === 0 ? size === usual : known.includes(size);
  const asked = options.defaultHugepageSize ?? usual;
  const fallback = isKnown(asked) ? asked : usual;
  return options.hugepages.flatMap(({ pageBytes = fallback, count, perNode }) => {
    if (!isKnown(pageBytes) || (count === undefined && perNode === undefined)) return [];
    return [
      {
        pageBytes,
        ...(count === undefined ? {} : { count }),
        ...(perNode === undefined ? {} : { perNode }),
      },
    ];
  });
}

/** Gigantic pages, and what cannot be said. */
export function hugePageWishes(description: MachineDescription): (Wish | NoModel)[] {
  const { options, pageSize = 4096 } = description;
  const isGigantic = (bytes: number): boolean => bytes > 2 ** 10 * pageSize;
  const named = [
    ...options.hugepages.map(({ pageBytes }) => pageBytes),
    options.defaultHugepageSize,
  ].filter((size) => size !== undefined);
  const lacks = named.find((size) => isGigantic(size) && !sizesOf(description).includes(size));
  const wishes = hugePagesAsked(description)
    .filter(({ pageBytes }) => isGigantic(pageBytes))
    .map((asked): Wish => ({ stage: 'gigantic', reserve: (context) => take(context, asked) }));
  return lacks === undefined
    ? wishes
    : [
        ...wishes,
        {
          id: `huge pages ${lacks / MIB} MiB`,
          label: `huge pages of ${lacks / MIB} MiB`,
          why: 'today’s kernel registered no pages of this size, so the processor has none, or the build; they are ignored',
        },
      ];
}

function take(
  context: WishContext,
  { pageBytes, count = 0, perNode }: HugePagesAsked,
): WishOutcome[] {
  const nids = context.plan.layout.nodes
    .filter((node) => node.presentPages > 0)
    .map(({ nid }) => nid);
  const got = new Map<number, ByteSpan[]>(nids.map((nid) => [nid, []]));
  const one = (nid: number): ByteSpan | undefined =>
    takeFor(context, { size: pageBytes, align: pageBytes, nid, caller: 'alloc_bootmem_huge_page' });
  const keep = (range: ByteSpan): void => {
    got.get(nodeOf(context, range))?.push(range);
  };
  const wanted =
    perNode ?? nids.map((nid, index) => ({ nid, count: share(count, nids.length, index) }));
  if (perNode !== undefined) {
    for (const { nid, count: own } of perNode) {
      for (let page = 0; page < own; page++) {
        const range = one(nid);
        if (range === undefined) break;
        keep(range);
      }
    }
  } else {
    for (let page = 0; page < count; page++) {
      const turn = page % nids.length;
      const order = [...nids.slice(turn), ...nids.slice(0, turn)];
      let range: ByteSpan | undefined;
      for (const nid of order) if ((range = one(nid)) !== undefined) break;
      if (range === undefined) break;
      keep(range);
    }
  }
  const all = [...got.values()].reduce((sum, { length }) => sum + length, 0);
  const asked = wanted.reduce((sum, { count: own }) => sum + own, 0);
  return nids.map((nid) => ({
    id: `huge pages ${pageBytes / MIB} MiB node ${nid}`,
    kind: 'huge-pages',
    label: `huge pages of ${pageBytes / MIB} MiB, node ${nid}`,
    asked: (wanted.find((entry) => entry.nid === nid)?.count ?? 0) * pageBytes,
    each: pageBytes,
    ranges: got.get(nid) ?? [],
    ...(all < asked ? { failed: `${all} of ${asked} pages: no more free aligned stretches` } : {}),
  }));
}

function share(count: number, parts: number, index: number): number {
  return Math.floor(count / parts) + (index < count % parts ? 1 : 0);
}

function nodeOf({ plan }: WishContext, { start }: ByteSpan): number {
  return plan.derived.memory.find((one) => one.start <= start && start < one.end)?.nid ?? 0;
}
