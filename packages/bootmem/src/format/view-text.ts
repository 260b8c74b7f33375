/** The views that kernel people know, as text. */
import type { Evidence } from '../explain-result.js';
import type { AddressView, LsmemView, NumaView, PhasesView } from '../view-result.js';
import { formatAddress, formatBytes, formatMemRange } from './numbers.js';
import { fitted } from './paper.js';
import type { Paper } from './paper.js';
import { formatTable } from './table.js';

const MIB = 2 ** 20;

/** As `numactl --hardware` prints it. */
export function numaText({ nodes, distances, free }: NumaView, paper: Paper): string {
  const ids = nodes.map(({ nid }) => nid);
  const span = ids.length === 1 ? `${ids[0] ?? 0}` : `${ids[0] ?? 0}-${ids.at(-1) ?? 0}`;
  const lines = [`available: ${ids.length} node${ids.length === 1 ? '' : 's'} (${span})`];
  for (const { nid, cpus, sizeBytes, freeBytes } of nodes) {
    lines.push(
      `node ${nid} cpus: ${cpus.join(' ')}`.trimEnd(),
      `node ${nid} size: ${Math.floor(sizeBytes / MIB)} MB`,
      `node ${nid} free: ${Math.floor(freeBytes / MIB)} MB`,
    );
  }
  const total = (pick: (node: NumaView['nodes'][number]) => number): number =>
    Math.floor(nodes.reduce((sum, node) => sum + pick(node), 0) / MIB);
  lines.push(
    `total size: ${total((node) => node.sizeBytes)} MB, free: ${total((node) => node.freeBytes)} MB (${free === 'boot' ? 'as a boot leaves it' : 'from zoneinfo'})`,
  );
  if (distances === undefined)
    return fitted(`${lines.join('\n')}\nnode distances: not in the log\n`, paper);
  lines.push('node distances:', `node ${ids.map((nid) => String(nid).padStart(3)).join(' ')}`);
  for (const [index, row] of distances.entries()) {
    const cells = row.map((distance) => String(distance).padStart(3)).join(' ');
    lines.push(`${String(ids[index] ?? index).padStart(3)}: ${cells}`);
  }
  return fitted(`${lines.join('\n')}\n`, paper);
}

/** Columns of `lsmem`, by name. */
export const LSMEM_COLUMNS = ['RANGE', 'SIZE', 'STATE', 'BLOCK', 'NODE', 'ZONES'] as const;

/** A column of `lsmem`. */
export type LsmemColumn = (typeof LSMEM_COLUMNS)[number];

/**
 * As `lsmem` prints it.
 * @param view     the blocks
 * @param paper    how wide
 * @param columns  which columns, in which order
 */
export function lsmemText(
  view: LsmemView,
  paper: Paper,
  columns: readonly LsmemColumn[] = ['RANGE', 'SIZE', 'STATE', 'BLOCK'],
): string {
  const rows = view.ranges.map((range): Readonly<Record<LsmemColumn, string>> => {
    const { firstBlock, lastBlock } = range;
    return {
      RANGE: `${formatAddress(range.start)}-${formatAddress(range.end - 1)}`,
      SIZE: formatBytes(range.end - range.start),
      STATE: range.online ? 'online' : 'offline',
      BLOCK: firstBlock === lastBlock ? String(firstBlock) : `${firstBlock}-${lastBlock}`,
      NODE: String(range.nid),
      ZONES: range.zones.join('/'),
    };
  });
  const table = formatTable(
    columns.map((title) => ({
      title,
      align: title === 'SIZE' || title === 'BLOCK' ? 'right' : 'left',
    })),
    rows.map((row) => columns.map((column) => row[column])),
    paper.width,
  );
  const totals = formatTable(
    [{ title: '' }, { title: '', align: 'right' }],
    [
      ['Memory block size:', formatBytes(view.blockBytes)],
      ['Total online memory:', formatBytes(view.onlineBytes)],
      ['Total offline memory:', formatBytes(view.offlineBytes)],
    ],
  );
  return `${[...table, '', ...totals].join('\n')}\n`;
}

/** What lies at an address. */
export function addressText(view: AddressView, { width }: Paper): string {
  const where = ({ file, line, text }: Evidence): string =>
    line === undefined ? text : `${file === undefined ? '' : `${file} `}line ${line}: ${text}`;
  const rows: string[][] = [
    ['address', formatAddress(view.address)],
    ['page frame', `${view.pfn} (0x${view.pfn.toString(16)})`],
    ['section', String(view.section)],
    ['pageblock', String(view.pageblock)],
    ['node', view.nid === undefined ? 'none: no memory of the kernel' : String(view.nid)],
    ['zone', view.zone ?? 'none'],
  ];
  if (view.map !== undefined) {
    const { start, end, kind, evidence } = view.map;
    rows.push(['firmware map', `${formatMemRange(start, end)} ${kind}`], ['', where(evidence)]);
  }
  if (view.reserved !== undefined) {
    const { start, end, label, evidence } = view.reserved;
    rows.push(['reserved', `${formatMemRange(start, end)} ${label}`]);
    for (const one of evidence) rows.push(['', where(one)]);
  } else rows.push(['reserved', 'by nobody that the log places']);
  return `${formatTable([{ title: '' }, { title: '' }], rows, width).join('\n')}\n`;
}

/** Steps with their times and what each took. */
export function phasesText({ phases }: PhasesView, { width }: Paper): string {
  if (phases.length === 0) return 'the log has no time stamps\n';
  const rows = phases.map(({ phase, seconds, evidence }, index) => [
    seconds.toFixed(6),
    index === 0 ? '' : `+${(seconds - phases[index - 1]!.seconds).toFixed(6)}`,
    phase,
    String(evidence.line ?? ''),
  ]);
  const columns = [
    { title: 'seconds', align: 'right' },
    { title: 'after', align: 'right' },
    { title: 'phase' },
    { title: 'line', align: 'right' },
  ] as const;
  return `${formatTable(columns, rows, width).join('\n')}\n`;
}
