/**
 * Zones and holes: what the memory of each zone is used for.
 */
import { barX, plot, ruleX } from '@observablehq/plot';
import { byId, element, swatches, table } from '../dom.js';
import { bytes, count, hex, max, PAGE, tickValues } from '../numbers.js';
import { base } from '../look.js';

/** Pages of each zone by use. */
function zoneParts(boot) {
  return boot.zones
    .flatMap((zone) => {
      const name = `node ${zone.nid} ${zone.name}`;
      return [
        { name, part: 'free', pages: zone.freePages },
        { name, part: 'unaccepted', pages: zone.unacceptedPages },
        {
          name,
          part: 'in use',
          pages: Math.max(0, zone.managedPages - zone.freePages - zone.unacceptedPages),
        },
        { name, part: 'reserved', pages: Math.max(0, zone.presentPages - zone.managedPages) },
        { name, part: 'hole', pages: zone.spannedPages - zone.presentPages },
      ];
    })
    .filter((row) => row.pages > 0);
}

/** Draws the zones and their table. */
export function zones({ boot }) {
  const rows = zoneParts(boot);
  const parts = ['free', 'unaccepted', 'in use', 'reserved', 'hole'];
  const colors = ['#59a14f', '#76b7b2', '#f28e2b', '#4e79a7', '#c9ced4'];
  const used = parts.filter((part) => rows.some((row) => row.part === part));
  byId('zones-figure').append(
    plot(
      base({
        height: boot.zones.length * 28 + 50,
        marginLeft: 120,
        x: {
          label: 'memory',
          tickFormat: (value) => bytes(value),
          grid: true,
          ticks: tickValues(0, PAGE * (max(boot.zones, (zone) => zone.spannedPages) ?? 1)),
        },
        y: { label: null, domain: boot.zones.map((zone) => `node ${zone.nid} ${zone.name}`) },
        color: { domain: parts, range: colors },
        ariaLabel: 'Memory of each zone by use',
        marks: [
          barX(rows, {
            x: (d) => d.pages * PAGE,
            y: 'name',
            fill: 'part',
            order: parts,
            tip: { format: { x: (value) => bytes(value) } },
          }),
          ruleX([0]),
        ],
      }),
    ),
    swatches(used.map((part) => [part, colors[parts.indexOf(part)]])),
  );
  const columns = [
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
  const view = element(
    'div',
    { class: 'scroll', tabindex: '0', id: 'zone-table' },
    table(
      columns.map((title, index) => ({ title, number: index !== 1 })),
      boot.zones.map((z) =>
        [
          z.nid,
          z.name,
          hex(z.startPfn),
          z.spannedPages,
          z.presentPages,
          z.managedPages,
          z.freePages,
          z.unacceptedPages,
          z.min,
          z.low,
          z.high,
        ].map((v) => (typeof v === 'number' ? count(v) : v)),
      ),
    ),
  );
  byId('zones-figure').after(view);
  if (boot.holes.length > 0) {
    view.after(
      element(
        'p',
        { class: 'lane' },
        'Pages in unavailable ranges: ' +
          boot.holes.map((hole) => `node ${hole.nid} ${hole.zone} ${count(hole.pages)}`).join(', '),
      ),
    );
  }
}
