/**
 * Physical address map: firmware ranges, nodes and zones over one axis, which moves and zooms.
 */
import { barX, plot, text } from '@observablehq/plot';
import { byId, element, numbers, swatches } from '../dom.js';
import { bytes, hex, max, PAGE, tickValues } from '../numbers.js';
import { base, kindColor, nodeColor, ZONE_COLORS } from '../look.js';

/** Parts of the address space worth a button: name, first byte, byte after the last. */
function mapZooms(boot) {
  const { ramEnd, mapEnd } = mapEnds(boot);
  return [
    ['All memory', 0, ramEnd],
    ['Below 4 GiB', 0, 2 ** 32],
    ['Below 16 MiB', 0, 2 ** 24],
    ['Below 1 MiB', 0, 2 ** 20],
    ...(boot.nodes.length > 1 && boot.nodes.length <= 8
      ? boot.nodes.map((node) => [
          `Node ${node.nid}`,
          node.startPfn * PAGE,
          (node.startPfn + node.spannedPages) * PAGE,
        ])
      : []),
    ...(mapEnd > ramEnd ? [['Whole map', 0, mapEnd]] : []),
  ];
}

function mapEnds(boot) {
  const ramEnd = max(boot.zones, (zone) => (zone.startPfn + zone.spannedPages) * PAGE) ?? 1;
  return { ramEnd, mapEnd: Math.max(ramEnd, max(boot.firmwareMap, (one) => one.end) ?? 1) };
}

/** What lies over the address axis: ranges in bytes with label and colour. */
function mapLanes(boot) {
  return [
    {
      name: 'Firmware map',
      rows: boot.firmwareMap.map((r) => ({
        start: r.start,
        end: r.end,
        label: r.kind,
        color: kindColor(r.kind),
      })),
    },
    {
      name: 'Nodes',
      rows: boot.earlyRanges.map((r) => ({
        start: r.startPfn * PAGE,
        end: r.endPfn * PAGE,
        label: `node ${r.nid}`,
        color: nodeColor(r.nid),
      })),
    },
    {
      name: 'Zones (spans, holes included)',
      rows: boot.zones
        .filter((z) => z.spannedPages > 0)
        .map((z) => ({
          start: z.startPfn * PAGE,
          end: (z.startPfn + z.spannedPages) * PAGE,
          label: `${z.name} ${z.nid}`,
          color: ZONE_COLORS[z.name] ?? '#888',
          lane: `node ${z.nid}`,
        })),
    },
  ];
}

/** Draws the map and reacts to its buttons and keys. */
export function addressMap({ boot }) {
  const { mapEnd } = mapEnds(boot);
  const zooms = mapZooms(boot);
  const lanes = mapLanes(boot);
  let [, from, to] = zooms[0];
  const figure = byId('map-figure');
  function draw() {
    figure.replaceChildren();
    for (const [index, lane] of lanes.entries()) {
      const seen = lane.rows
        .filter((row) => row.end > from && row.start < to)
        .map((row) => ({
          ...row,
          x1: Math.max(row.start, from),
          x2: Math.min(row.end, to),
          lane: row.lane ?? '',
        }));
      const last = index === lanes.length - 1;
      const wide = seen.filter((row) => (row.x2 - row.x1) / (to - from) > 0.045);
      figure.append(element('p', { class: 'lane' }, lane.name));
      figure.append(
        plot(
          base({
            height:
              (lane.rows.some((r) => r.lane)
                ? Math.max(1, new Set(seen.map((r) => r.lane)).size) * 26
                : 34) + (last ? 40 : 6),
            marginTop: 2,
            marginBottom: last ? 36 : 4,
            marginLeft: 60,
            marginRight: 20,
            x: {
              domain: [from, to],
              axis: last ? 'bottom' : null,
              label: 'physical address',
              ticks: tickValues(from, to),
              tickFormat: (value) => bytes(value),
            },
            y: {
              axis: lane.rows.some((r) => r.lane) ? 'left' : null,
              label: null,
              padding: 0.15,
            },
            ariaLabel: `${lane.name} from ${bytes(from)} to ${bytes(to)}`,
            marks: [
              barX(seen, {
                x1: 'x1',
                x2: 'x2',
                y: 'lane',
                fill: (d) => d.color,
                stroke: 'var(--card)',
                strokeWidth: 0.5,
                channels: {
                  what: 'label',
                  range: (d) => `${hex(d.start)}-${hex(d.end - 1)}`,
                  size: (d) => bytes(d.end - d.start),
                },
                tip: { format: { x1: false, x2: false, x: false, y: false, fill: false } },
              }),
              text(wide, {
                x: (d) => (d.x1 + d.x2) / 2,
                y: 'lane',
                text: 'label',
                fill: 'white',
                stroke: '#0008',
                strokeWidth: 2.5,
                fontWeight: 600,
              }),
            ],
          }),
        ),
      );
      if (index === 0) {
        const kinds = new Map(boot.firmwareMap.map((range) => [range.kind, kindColor(range.kind)]));
        figure.append(swatches([...kinds]));
      }
    }
    figure.dataset.from = String(from);
    figure.dataset.to = String(to);
    for (const button of byId('map-tools').querySelectorAll('button')) {
      const [, start, end] = zooms[Number(button.dataset.zoom)];
      button.setAttribute('aria-pressed', String(start === from && end === to));
    }
  }
  function move(nextFrom, nextTo) {
    const span = Math.max(PAGE * 4, Math.min(nextTo - nextFrom, mapEnd));
    from = Math.max(0, Math.min(nextFrom, mapEnd - span));
    to = from + span;
    draw();
  }
  byId('map-tools').prepend(
    ...zooms.map(([name, start, end], index) => {
      const button = element('button', { type: 'button', 'data-zoom': String(index) }, name);
      button.addEventListener('click', () => {
        from = start;
        to = end;
        draw();
      });
      return button;
    }),
  );
  figure.addEventListener('keydown', (event) => {
    const span = to - from;
    const middle = from + span / 2;
    const actions = {
      ArrowLeft: () => move(from - span / 4, to - span / 4),
      ArrowRight: () => move(from + span / 4, to + span / 4),
      '+': () => move(middle - span / 4, middle + span / 4),
      '=': () => move(middle - span / 4, middle + span / 4),
      '-': () => move(middle - span, middle + span),
      Home: () => {
        [, from, to] = zooms[0];
        draw();
      },
    };
    const action = actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
  draw();
  numbers(
    'map-figure',
    [
      { title: 'kind' },
      { title: 'first byte' },
      { title: 'last byte' },
      { title: 'size', number: true },
    ],
    boot.firmwareMap.map((range) => [
      range.kind,
      hex(range.start),
      hex(range.end - 1),
      bytes(range.end - range.start),
    ]),
  );
}
