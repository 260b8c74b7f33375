/** Free blocks by order and migratetype: the buddy allocator after boot. A column for each order, its height a logarithm. */
import { formatBytes, formatCount, PAGE_SIZE } from '../../format/numbers.js';
import type { BootReport, ZoneReport } from '../../result.js';
import { escapeHtml, keyHtml, laneHtml } from '../html.js';
import { TYPE_COLORS } from './look.js';
import { svg } from './svg.js';

/** Pixels of the columns, of the numbers over them, of the orders under them. */
const HEIGHT = 70;
const ABOVE = 14;
const BELOW = 16;

/** Height of a column: a pixel at least where there is something. */
function heightOf(blocks: number, most: number): number {
  return blocks === 0 ? 0 : Math.max(1, (HEIGHT * Math.log2(1 + blocks)) / Math.log2(1 + most));
}

function columnOf(zone: ZoneReport, order: number, most: number): string {
  const orders = zone.freeBlocks.length;
  const total = zone.freeBlocks[order] ?? 0;
  const width = 100 / orders;
  const [x, middle] = [order * width + width * 0.1, (order + 0.5) * width];
  let base = ABOVE + HEIGHT;
  const parts = Object.entries(TYPE_COLORS).flatMap(([type, color]) => {
    const blocks = zone.freeBlocksByType[type]?.[order] ?? 0;
    if (blocks === 0) return [];
    // Types share the column by their number.
    const height = heightOf(total, most) * (blocks / total);
    base -= height;
    const title = `${formatCount(blocks)} free blocks of order ${order}, ${type}: ${formatBytes(blocks * 2 ** order * PAGE_SIZE)}`;
    return [
      `<rect x="${x.toFixed(3)}%" y="${base.toFixed(1)}" width="${(width * 0.8).toFixed(3)}%" height="${height.toFixed(1)}" fill="${color}"><title>${escapeHtml(title)}</title></rect>`,
    ];
  });
  const number =
    total === 0
      ? ''
      : `<text class="over" x="${middle.toFixed(3)}%" y="${(base - 3).toFixed(1)}">${total}</text>`;
  return `${parts.join('')}${number}<text class="under" x="${middle.toFixed(3)}%" y="${ABOVE + HEIGHT + 13}">${order}</text>`;
}

/** The drawing, with `/proc/buddyinfo` below. */
export function blocksHtml({ zones, buddyinfo }: BootReport): string {
  const shown = zones.filter(({ freePages }) => freePages > 0);
  const most = shown.flatMap(({ freeBlocks }) => freeBlocks).reduce((a, b) => Math.max(a, b), 1);
  const types = Object.entries(TYPE_COLORS).filter(([type]) =>
    shown.some((zone) => zone.freeBlocksByType[type]?.some((blocks) => blocks > 0)),
  );
  const charts = shown.map((zone) => {
    const name = `node ${zone.nid} ${zone.name}`;
    const columns = zone.freeBlocks.map((_, order) => columnOf(zone, order, most));
    const line = `<line class="base" x1="0" x2="100%" y1="${ABOVE + HEIGHT + 0.5}" y2="${ABOVE + HEIGHT + 0.5}"/>`;
    const drawing = svg(`Free blocks of ${name} by order`, ABOVE + HEIGHT + BELOW, [
      ...columns,
      line,
    ]);
    return `<div>${laneHtml(name)}${drawing}</div>`;
  });
  return [
    `<div class="charts">${charts.join('')}</div>`,
    keyHtml(types),
    `<details open><summary>/proc/buddyinfo</summary><pre id="buddyinfo" tabindex="0">${escapeHtml(buddyinfo)}</pre></details>`,
  ].join('');
}
