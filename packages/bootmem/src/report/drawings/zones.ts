/** Zones and holes: what the memory of each zone is used for. */
import { formatBytes, formatCount, PAGE_SIZE } from '../../format/numbers.js';
import type { BootReport, ZoneReport } from '../../result.js';
import { keyHtml, laneHtml, tableHtml } from '../html.js';
import { USE_COLORS } from './look.js';
import { axis, lane, ticksOf } from './svg.js';
import type { Bar } from './svg.js';

/** Pages of a zone by use. */
function usesOf(zone: ZoneReport): Readonly<Record<keyof typeof USE_COLORS, number>> {
  const { freePages, unacceptedPages, managedPages, presentPages, spannedPages } = zone;
  return {
    free: freePages,
    unaccepted: unacceptedPages,
    'in use': Math.max(0, managedPages - freePages - unacceptedPages),
    reserved: Math.max(0, presentPages - managedPages),
    hole: Math.max(0, spannedPages - presentPages),
  };
}

const USES = Object.keys(USE_COLORS) as (keyof typeof USE_COLORS)[];

/** Bars of a zone, one after the other. */
function barsOf(zone: ZoneReport): Bar[] {
  const uses = usesOf(zone);
  let start = 0;
  return USES.flatMap((use) => {
    const bytes = uses[use] * PAGE_SIZE;
    if (bytes === 0) return [];
    const bar = { start, end: start + bytes, color: USE_COLORS[use] };
    start += bytes;
    return [{ ...bar, title: `${use}: ${formatBytes(bytes)}`, label: formatBytes(bytes) }];
  });
}

/** The drawing. */
export function zonesHtml({ zones }: BootReport): string {
  const spanned = zones.reduce((high, zone) => Math.max(high, zone.spannedPages), 1);
  const domain = { from: 0, to: spanned * PAGE_SIZE };
  const used = USES.filter((use) => zones.some((zone) => usesOf(zone)[use] > 0));
  return [
    ...zones
      .filter(({ spannedPages }) => spannedPages > 0)
      .map((zone) => {
        const name = `node ${zone.nid} ${zone.name}`;
        return `${laneHtml(name)}${lane(`Memory of ${name} by use`, barsOf(zone), domain)}`;
      }),
    axis(ticksOf(domain, 2), domain, formatBytes),
    keyHtml(used.map((use) => [use, USE_COLORS[use]])),
  ].join('');
}

const COLUMNS = [
  'node',
  'zone',
  'start pfn',
  'spanned',
  'present',
  'managed',
  'free',
  'unaccepted',
  'min',
  'low',
  'high',
];

/** Zones as numbers, pages in holes below. */
export function zoneTable({ zones, holes }: BootReport): string {
  const rows = zones.map((zone) => [
    zone.nid,
    zone.name,
    `0x${zone.startPfn.toString(16)}`,
    ...[
      zone.spannedPages,
      zone.presentPages,
      zone.managedPages,
      zone.freePages,
      zone.unacceptedPages,
      zone.min,
      zone.low,
      zone.high,
    ].map((count) => formatCount(count)),
  ]);
  const columns = COLUMNS.map((title, index) => ({ title, isNumber: index !== 1 }));
  const text = holes.map(({ nid, zone, pages }) => `node ${nid} ${zone} ${formatCount(pages)}`);
  return [
    `<div id="zone-table">${tableHtml('Zones', columns, rows)}</div>`,
    holes.length === 0 ? '' : laneHtml(`Pages in unavailable ranges: ${text.join(', ')}`),
  ].join('');
}
