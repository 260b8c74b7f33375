/**
 * A page's descriptor as a typed object, for reports, dumps and tests. Never on a hot path.
 */
import type { PageblockView } from './pageblocks.js';
import { isDeviceState, PageState } from '../facts/page-state.js';

/** Block that a page belongs to. */
export interface BlockHead {
  /** First page of the block. */
  readonly pfn: number;
  /** State byte of the head without the order. */
  readonly state: number;
  /** The block has `2 ** order` pages. */
  readonly order: number;
}

/** What the block is that a page belongs to. */
type HeadKind = 'free' | 'allocated' | 'cached' | 'unaccepted' | 'guard' | 'shared' | 'moving';

/** What a page is. */
export type PageDescription =
  | { readonly kind: 'absent' | 'uninitialised' }
  | ({ readonly kind: HeadKind } & Common & {
        readonly head: number;
        readonly order: number;
      })
  | ({ readonly kind: 'boot' | 'reserved' | 'offline' | 'hwpoison' } & Common)
  | ({ readonly kind: 'device' | 'device-idle' | 'device-tail' } & Common & {
        readonly pgmap: number;
        readonly driverWord: number;
      });

interface Common {
  readonly zoneId: number;
  readonly nid: number | undefined;
  readonly refcount: number;
  readonly migratetype: number;
}

const HEADS: Readonly<Record<number, HeadKind>> = {
  [PageState.FREE]: 'free',
  [PageState.ALLOCATED]: 'allocated',
  [PageState.CACHED]: 'cached',
  [PageState.UNACCEPTED]: 'unaccepted',
  [PageState.GUARD]: 'guard',
  [PageState.SHARED]: 'shared',
  [PageState.MOVING]: 'moving',
};

const PLAIN: Readonly<Record<number, 'reserved' | 'offline' | 'hwpoison'>> = {
  [PageState.RESERVED]: 'reserved',
  [PageState.OFFLINE]: 'offline',
  [PageState.HWPOISON]: 'hwpoison',
};

const DEVICES: Readonly<Record<number, 'device' | 'device-idle'>> = {
  0: 'device',
  [PageState.DEVICE_IDLE - PageState.DEVICE]: 'device-idle',
};

/** What {@link describePage} needs to read. */
interface DescribedMap {
  isPresent(pfn: number): boolean;
  state(pfn: number): number;
  zoneId(pfn: number): number;
  nid(pfn: number): number | undefined;
  refcount(pfn: number): number;
  coveringHead(pfn: number): BlockHead | undefined;
  pgmapIndex(pfn: number): number;
  driverWord(pfn: number): number;
  readonly pageblocks: Pick<PageblockView, 'migratetype'>;
}

/** Describes one page. */
export function describePage(map: DescribedMap, pfn: number): PageDescription {
  if (!map.isPresent(pfn)) return { kind: 'absent' };
  const state = map.state(pfn);
  if (state === PageState.UNINITIALISED) return { kind: 'uninitialised' };
  const common: Common = {
    zoneId: map.zoneId(pfn),
    nid: map.nid(pfn),
    refcount: map.refcount(pfn),
    migratetype: map.pageblocks.migratetype(pfn),
  };
  const plain = PLAIN[state];
  if (plain !== undefined) return { kind: plain, ...common };
  if (isDeviceState(state)) {
    return {
      kind: DEVICES[state - PageState.DEVICE] ?? 'device-tail',
      ...common,
      pgmap: map.pgmapIndex(pfn),
      driverWord: map.driverWord(pfn),
    };
  }
  const head = map.coveringHead(pfn);
  const kind = head === undefined ? undefined : HEADS[head.state];
  if (head === undefined || kind === undefined) return { kind: 'boot', ...common };
  return { kind, ...common, head: head.pfn, order: head.order };
}
