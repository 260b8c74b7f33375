/** Colours and the shape that all figures share. */

export const NODE_COLORS = [
  '#4e79a7',
  '#f28e2b',
  '#59a14f',
  '#b07aa1',
  '#e15759',
  '#76b7b2',
  '#edc948',
  '#9c755f',
];
export const nodeColor = (nid) => NODE_COLORS[nid % NODE_COLORS.length];
export const ZONE_COLORS = {
  DMA: '#b07aa1',
  DMA32: '#76b7b2',
  Normal: '#4e79a7',
  HighMem: '#9c755f',
  Movable: '#edc948',
  Device: '#e15759',
};
const KIND_COLORS = {
  usable: '#59a14f',
  reserved: '#8b939c',
  'ACPI data': '#edc948',
  'ACPI NVS': '#f28e2b',
  unusable: '#e15759',
  persistent: '#b07aa1',
  unaccepted: '#76b7b2',
};
export const kindColor = (kind) =>
  KIND_COLORS[kind] ?? (kind.startsWith('persistent') ? KIND_COLORS.persistent : '#9c755f');
export const TYPE_COLORS = {
  Unmovable: '#8b939c',
  Movable: '#4e79a7',
  Reclaimable: '#59a14f',
  HighAtomic: '#e15759',
  CMA: '#edc948',
  Isolate: '#f28e2b',
};

export const base = (extra) => ({
  width: 1150,
  style: { background: 'transparent', color: 'inherit', fontSize: '12px', fontFamily: 'inherit' },
  ...extra,
});
