/** Physical address map: firmware ranges, nodes and zones over one axis. The page's script draws it anew to zoom. */
import { formatBytes, PAGE_SIZE } from '../../format/numbers.js';
import type { BootReport } from '../../result.js';
import { keyHtml, laneHtml, numbersHtml } from '../html.js';
import { kindColor, nodeColor, zoneColor } from './look.js';
import { axis, lane, ticksOf } from './svg.js';
import type { Bar, Domain } from './svg.js';

/** What of a boot the map shows. */
export type MapInput = Pick<BootReport, 'firmwareMap' | 'earlyRanges' | 'zones' | 'nodes'>;

const hex = (value: number): string => `0x${value.toString(16)}`;
const top = (values: readonly number[]): number =>
  values.reduce((high, value) => Math.max(high, value), 1);

/** Where memory and where the map ends. */
export function mapEnds({ zones, firmwareMap }: MapInput): { ram: number; map: number } {
  const ram = top(zones.map((zone) => (zone.startPfn + zone.spannedPages) * PAGE_SIZE));
  return { ram, map: top([ram, ...firmwareMap.map(({ end }) => end)]) };
}

/** Parts of the address space worth a button. */
export function mapZooms(boot: MapInput): (Domain & { readonly name: string })[] {
  const { ram, map } = mapEnds(boot);
  const nodes = boot.nodes.length > 1 && boot.nodes.length <= 8 ? boot.nodes : [];
  return [
    { name: 'All memory', from: 0, to: ram },
    { name: 'Below 4 GiB', from: 0, to: 2 ** 32 },
    { name: 'Below 16 MiB', from: 0, to: 2 ** 24 },
    { name: 'Below 1 MiB', from: 0, to: 2 ** 20 },
    ...nodes.map(({ nid, startPfn, spannedPages }) => ({
      name: `Node ${nid}`,
      from: startPfn * PAGE_SIZE,
      to: (startPfn + spannedPages) * PAGE_SIZE,
    })),
    ...(map > ram ? [{ name: 'Whole map', from: 0, to: map }] : []),
  ];
}

function bar(range: { start: number; end: number }, label: string, color: string): Bar {
  const { start, end } = range;
  const title = `${label}: ${hex(start)}-${hex(end - 1)}, ${formatBytes(end - start)}`;
  return { start, end, label, color, title };
}

const bytesOf = (startPfn: number, endPfn: number): { start: number; end: number } => ({
  start: startPfn * PAGE_SIZE,
  end: endPfn * PAGE_SIZE,
});

/** The lanes of a part of the address space. */
export function addressMap(boot: MapInput, domain: Domain): string {
  const zones = boot.zones.filter(({ spannedPages }) => spannedPages > 0);
  const nids = [...new Set(zones.map(({ nid }) => nid))];
  const lanes: (readonly [name: string, bars: readonly Bar[]])[] = [
    [
      'Firmware map',
      boot.firmwareMap.map((range) => bar(range, range.kind, kindColor(range.kind))),
    ],
    [
      'Nodes',
      boot.earlyRanges.map(({ nid, startPfn, endPfn }) =>
        bar(bytesOf(startPfn, endPfn), `node ${nid}`, nodeColor(nid)),
      ),
    ],
    ...nids.map((nid) => {
      const own = zones.filter((zone) => zone.nid === nid);
      return [
        nids.length === 1 ? 'Zones, holes included' : `Zones of node ${nid}, holes included`,
        own.map(({ name, startPfn, spannedPages }) =>
          bar(bytesOf(startPfn, startPfn + spannedPages), name, zoneColor(name)),
        ),
      ] as const;
    }),
  ];
  const kinds = new Map(boot.firmwareMap.map(({ kind }) => [kind, kindColor(kind)]));
  const seen = `from ${formatBytes(domain.from)} to ${formatBytes(domain.to)}`;
  return [
    ...lanes
      // Nodes without memory in sight would only be empty lines.
      .filter(([, all]) => all.some(({ start, end }) => end > domain.from && start < domain.to))
      .map(([name, all]) => `${laneHtml(name)}${lane(`${name} ${seen}`, all, domain)}`),
    axis(ticksOf(domain, 2), domain, formatBytes),
    keyHtml([...kinds]),
  ].join('');
}

/** The firmware's ranges as numbers. */
export function mapNumbers({ firmwareMap }: MapInput): string {
  const columns = ['kind', 'first byte', 'last byte', 'size'].map((title, index) => ({
    title,
    isNumber: index === 3,
  }));
  return numbersHtml(
    'Firmware map',
    columns,
    firmwareMap.map(({ kind, start, end }) => [
      kind,
      hex(start),
      hex(end - 1),
      formatBytes(end - start),
    ]),
  );
}
