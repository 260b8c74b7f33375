/**
 * Free blocks by order and migratetype: the buddy allocator after boot.
 */
import { barY, cell, plot, ruleY, text } from '@observablehq/plot';
import { byId, element, swatches } from '../dom.js';
import { bytes, count, max, PAGE, range } from '../numbers.js';
import { base, TYPE_COLORS } from '../look.js';

/** Free blocks of each zone, migratetype and order that has any. */
function blockRows(boot) {
  const rows = [];
  for (const zone of boot.zones) {
    for (const [type, counts] of Object.entries(zone.freeBlocksByType)) {
      counts.forEach((blocks, order) => {
        if (blocks > 0)
          rows.push({
            zone: `node ${zone.nid} ${zone.name}`,
            type,
            order,
            blocks,
            pages: blocks * 2 ** order,
          });
      });
    }
  }
  return rows;
}

/** Draws the free blocks. */
export function freeBlocks({ boot }) {
  const rows = blockRows(boot);
  const types = Object.keys(TYPE_COLORS).filter((type) => rows.some((row) => row.type === type));
  const names = boot.zones
    .filter((zone) => zone.freePages > 0)
    .map((zone) => `node ${zone.nid} ${zone.name}`);
  const orders = range(0, max(boot.zones, (zone) => zone.freeBlocks.length) ?? 11);
  // Many zones: a map of counts reads better than a column of small charts.
  if (names.length > 10) byId('blocks-figure').append(blockMap(rows, names, orders));
  else
    byId('blocks-figure').append(
      plot(
        base({
          height: Math.max(1, names.length) * 92 + 40,
          marginLeft: 60,
          marginRight: 120,
          x: { label: 'order', domain: orders, padding: 0.2 },
          y: {
            label: 'free blocks (log)',
            type: 'symlog',
            ticks: [10, 1000],
            tickFormat: 's',
            grid: true,
          },
          fy: { label: null, domain: names, padding: 0.18 },
          color: { domain: Object.keys(TYPE_COLORS), range: Object.values(TYPE_COLORS) },
          ariaLabel: 'Free blocks by order and migratetype in each zone',
          marks: [
            barY(rows, {
              x: 'order',
              y: 'blocks',
              fy: 'zone',
              fill: 'type',
              channels: { size: (d) => bytes(d.pages * PAGE) },
              tip: true,
            }),
            ruleY([0]),
          ],
        }),
      ),
      swatches(types.map((type) => [type, TYPE_COLORS[type]])),
    );
  byId('blocks-figure').after(
    element(
      'details',
      { open: '' },
      element('summary', {}, '/proc/buddyinfo'),
      element('pre', { id: 'buddyinfo', tabindex: '0' }, boot.buddyinfo),
    ),
  );
}

/** Free blocks of each zone and order, all migratetypes together. */
function blockSums(rows) {
  const sums = new Map();
  for (const { zone, order, blocks } of rows) {
    const key = `${zone}/${order}`;
    sums.set(key, { zone, order, blocks: (sums.get(key)?.blocks ?? 0) + blocks });
  }
  return [...sums.values()];
}

/** The same as shades. */
function blockMap(rows, names, orders) {
  const cells = blockSums(rows);
  return plot(
    base({
      height: names.length * 18 + 50,
      marginLeft: 120,
      x: { label: 'order', domain: orders },
      y: { label: null, domain: names },
      color: { type: 'symlog', range: ['#d3e4f2', '#1f4e79'], label: 'free blocks' },
      ariaLabel: 'Free blocks by order in each zone',
      marks: [
        cell(cells, { x: 'order', y: 'zone', fill: 'blocks', inset: 0.5, tip: true }),
        text(cells, {
          x: 'order',
          y: 'zone',
          text: (d) => count(d.blocks),
          fill: (d) => (d.blocks > 60 ? 'white' : 'black'),
          fontSize: 10,
        }),
      ],
    }),
  );
}
