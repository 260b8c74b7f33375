/** Lines that the kernel prints while it lays out zones. */
import { MAX_NODE_ID } from '../base/constants.js';
import type { ZoneName } from '../types/all.js';
import type { Shape } from './shape-tree.js';

const ZONES: readonly ZoneName[] = ['DMA', 'DMA32', 'Normal', 'HighMem', 'Movable', 'Device'];

function zoneRange(zone: ZoneName): Shape {
  return {
    text: `${zone}%_[mem 0x%x-0x%x]`,
    isOfBlock: true,
    take(fields, draft, line) {
      if (draft.block !== 'zone-ranges' || !fields.isRange(0)) return false;
      const range = { start: fields.numbers[0]!, end: fields.numbers[1]! + 1 };
      draft.keepOwn(draft.zoneRanges, { zone, range, line }, line);
      draft.blockGap = 0;
      return true;
    },
  };
}

function emptyZone(zone: ZoneName): Shape {
  return {
    text: `${zone}%_empty`,
    isOfBlock: true,
    take(_fields, draft, line) {
      if (draft.block !== 'zone-ranges') return false;
      draft.keepOwn(draft.zoneRanges, { zone, line }, line);
      draft.blockGap = 0;
      return true;
    },
  };
}

function unavailable(zone: ZoneName): Shape {
  return {
    text: `On node %d, zone ${zone}: %d pages in unavailable ranges`,
    take({ numbers }, draft, line) {
      const nid = numbers[0]!;
      if (nid > MAX_NODE_ID) return false;
      draft.keepOwn(draft.unavailable, { pages: numbers[1]!, nid, zone, line }, line);
      return true;
    },
  };
}

const movableStart: Shape = {
  text: 'Node %d: 0x%x',
  isOfBlock: true,
  take({ numbers }, draft, line) {
    const nid = numbers[0]!;
    if (draft.block !== 'movable' || nid > MAX_NODE_ID) return false;
    draft.keepOwnOfNode(draft.movableStarts, { nid, start: numbers[1]!, line }, line);
    draft.blockGap = 0;
    return true;
  },
};

const earlyRange: Shape = {
  text: 'node%_%d: [mem 0x%x-0x%x]',
  take(fields, draft, line) {
    const nid = fields.numbers[0]!;
    if (nid > MAX_NODE_ID || !fields.isRange(1)) return false;
    const start = fields.numbers[1]!;
    const end = fields.numbers[2]! + 1;
    draft.keepOwn(draft.earlyRanges, { start, end, nid, line }, line);
    if (draft.block === 'early') draft.blockGap = 0;
    return true;
  },
};

const memmapInit: Shape = {
  text: 'mminit::memmap_init Initialising map node %d zone %d pfns %d -> %d',
  take({ numbers }, draft, line) {
    const nid = numbers[0]!;
    if (nid > MAX_NODE_ID) return false;
    const zoneIndex = numbers[1]!;
    const startPfn = numbers[2]!;
    const endPfn = numbers[3]!;
    draft.keepOwnOfNode(draft.memmapInit, { nid, zoneIndex, startPfn, endPfn, line }, line);
    return true;
  },
};

/** Shapes of zones' lines. */
export const ZONE_SHAPES: readonly Shape[] = [
  ...ZONES.flatMap((zone) => [zoneRange(zone), emptyZone(zone), unavailable(zone)]),
  movableStart,
  earlyRange,
  memmapInit,
];
