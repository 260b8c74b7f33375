/** Colours that all drawings share: told apart in light and dark, and by those who do not see red and green apart. */

const NODES = [
  '#4e79a7',
  '#f28e2b',
  '#59a14f',
  '#b07aa1',
  '#e15759',
  '#76b7b2',
  '#edc948',
  '#9c755f',
] as const;

/** Where a name has no colour. */
const OTHER = '#9c755f';

/** Colour of a node. */
export const nodeColor = (nid: number): string => NODES[nid % NODES.length] ?? OTHER;

const ZONES: Readonly<Record<string, string>> = {
  DMA: '#b07aa1',
  DMA32: '#76b7b2',
  Normal: '#4e79a7',
  HighMem: '#9c755f',
  Movable: '#edc948',
  Device: '#e15759',
};

/** Colour of a zone. */
export const zoneColor = (name: string): string => ZONES[name] ?? OTHER;

const KINDS: Readonly<Record<string, string>> = {
  usable: '#59a14f',
  reserved: '#8b939c',
  'ACPI data': '#edc948',
  'ACPI NVS': '#f28e2b',
  unusable: '#e15759',
  persistent: '#b07aa1',
  unaccepted: '#76b7b2',
};

/** Colour of a kind of firmware range. */
export const kindColor = (kind: string): string =>
  KINDS[kind.startsWith('persistent') ? 'persistent' : kind] ?? OTHER;

/** Uses of a zone's memory, in the order in which they are drawn. */
export const USE_COLORS = {
  free: '#59a14f',
  unaccepted: '#76b7b2',
  'in use': '#f28e2b',
  reserved: '#4e79a7',
  hole: '#c9ced4',
} as const;

/** Types of free blocks, in the order in which they are drawn. */
export const TYPE_COLORS: Readonly<Record<string, string>> = {
  Movable: '#4e79a7',
  Unmovable: '#8b939c',
  Reclaimable: '#59a14f',
  HighAtomic: '#e15759',
  CMA: '#edc948',
  Isolate: '#f28e2b',
};

/** Published machines, then the one that was measured. */
export const CURVE_COLORS = [
  '#8aa6c1',
  '#e3b27a',
  '#9cc491',
  '#c9a8bf',
  '#a8cfcc',
  '#c5aa93',
] as const;
