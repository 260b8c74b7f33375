/**
 * A boot for people: zone table, buddyinfo, and the numbers one wants to see. Works from the JSON form
 * only, so that the text can never say more than `--json`.
 */
import type { BootReport } from '../result.js';
import {
  formatAddress,
  formatBytes,
  formatCount,
  formatMs,
  formatPercent,
  formatRate,
  PAGE_SIZE,
} from './numbers.js';
import { findingLines } from './findings-text.js';
import { noteLines } from './paper.js';
import type { Paper } from './paper.js';
import { formatTable, visibleWidth } from './table.js';
import type { Column } from './table.js';

/** Whether lines fit on a page. */
function fits(lines: readonly string[], { width }: Paper): boolean {
  return lines.every((line) => visibleWidth(line) <= width);
}

/** Zones as a table, amounts in pages or in units. */
function zonesIn(
  unit: 'pages' | 'sizes',
  { zones }: BootReport,
  { plain, width }: Paper,
): string[] {
  const amount = (pages: number): string =>
    unit === 'pages' ? formatCount(pages, plain) : formatBytes(pages * PAGE_SIZE);
  const hasParked = zones.some((zone) => zone.unacceptedPages > 0);
  const right = (title: string): Column => ({ title, align: 'right' });
  return formatTable(
    [
      right('node'),
      { title: 'zone' },
      { title: 'start', drop: 2 },
      { ...right('spanned'), drop: 1 },
      right('present'),
      right('managed'),
      right('free'),
      ...(hasParked ? [right('unaccepted')] : []),
      ...['min', 'low', 'high'].map((title) => ({ ...right(title), drop: 3 })),
      ...(unit === 'pages' ? [right('size')] : []),
    ],
    zones.map((zone) => [
      String(zone.nid),
      zone.name,
      formatAddress(zone.startPfn * PAGE_SIZE),
      amount(zone.spannedPages),
      amount(zone.presentPages),
      amount(zone.managedPages),
      amount(zone.freePages),
      ...(hasParked ? [amount(zone.unacceptedPages)] : []),
      amount(zone.min),
      amount(zone.low),
      amount(zone.high),
      ...(unit === 'pages' ? [formatBytes(zone.presentPages * PAGE_SIZE)] : []),
    ]),
    unit === 'pages' ? Infinity : width,
  );
}

/** The zone table with its heading: in pages; where these do not fit, in units and with fewer columns. */
function zoneTable(report: BootReport, paper: Paper): string[] {
  const { bold } = paper.colors;
  const inPages = zonesIn('pages', report, paper);
  if (fits(inPages, paper)) return [bold('Zones (pages)'), ...inPages];
  return [bold('Zones (--wide: in pages, all columns)'), ...zonesIn('sizes', report, paper)];
}

/** Free blocks by zone as /proc/buddyinfo prints them; closer together where that is too wide. */
function freeBlocks({ buddyinfo }: BootReport, paper: Paper): string[] {
  const lines = buddyinfo.trimEnd().split('\n');
  if (fits(lines, paper)) return lines;
  const rows = lines.map((line) => {
    const [, nid, name, counts] = /^Node (\d+), zone +(\S+) (.*)$/.exec(line)!;
    return [nid!, name!, ...counts!.trim().split(/ +/)];
  });
  const orders = rows[0]!.slice(2).map((_, order): Column => ({
    title: String(order),
    align: 'right',
  }));
  return formatTable([{ title: 'node', align: 'right' }, { title: 'zone' }, ...orders], rows);
}

/**
 * The numbers below the tables: times, rate, share of each thread, memory used.
 * @param report  a finished boot
 * @param paper   how wide, for whom
 * @returns lines
 */
function summaryLines(report: BootReport, { plain, width }: Paper): string[] {
  const { timing, machine } = report;
  const count = (value: number): string => formatCount(value, plain);
  const shares = report.threads
    .map(
      (thread) =>
        `thread ${thread.thread} ${formatPercent(thread.share)} (${thread.chunks} chunks)`,
    )
    .join(', ');
  const rows: [string, string][] = [
    [
      'machine',
      `${formatBytes(machine.memoryBytes)} in ${machine.nodeCount} node${machine.nodeCount === 1 ? '' : 's'}, ${machine.cpuCount} cpus, kernel ${report.kernel}`,
    ],
    ['time to first allocation', formatMs(timing.firstAllocationMs)],
    ['total time', formatMs(timing.totalMs)],
    [
      'initialised',
      `${count(timing.initialisedPages)} pages, ${formatRate(timing.pagesPerSecond, 'pages')}`,
    ],
    ['threads', shares === '' ? 'calling thread only' : shares],
    [
      'descriptors',
      `${formatBytes(machine.descriptorBytes)} (${(machine.descriptorBytes / Math.max(1, machine.memoryBytes / PAGE_SIZE)).toFixed(1)} bytes a page)`,
    ],
  ];
  for (const device of report.devices) {
    rows.push([
      'device memory',
      `node ${device.nid}: ${count(device.endPfn - device.startPfn)} pages after boot in ${formatMs(device.ms)}`,
    ]);
  }
  if (report.unaccepted !== undefined) {
    const { acceptedUnits, totalUnits, unitBytes } = report.unaccepted;
    rows.push([
      'accepted',
      `${count(acceptedUnits)} of ${count(totalUnits)} units of ${formatBytes(unitBytes)}`,
    ]);
  }
  if (report.growth !== undefined) {
    rows.push([
      'grown on demand',
      `${count(report.growth.grows)} times, ${count(report.growth.pages)} pages; ${count(report.growth.leftPages)} pages still untouched`,
    ]);
  }
  if (report.predicted !== undefined) {
    const { pages, ms, pagesPerSecond, sampledPages } = report.predicted;
    rows.push([
      'predicted',
      `${count(pages)} pages more in ${formatMs(ms)} by one thread, at ${formatRate(pagesPerSecond, 'pages')} of the ${count(sampledPages)} that were timed`,
    ]);
  }
  return formatTable([{ title: '' }, { title: '' }], rows, width);
}

/**
 * Everything `boot` prints after its log lines.
 * @param report  a finished boot
 * @param paper   headings are bold when it has colours
 * @returns text with a final newline
 */
export function bootText(report: BootReport, paper: Paper): string {
  const { bold, yellow } = paper.colors;
  const lines = [
    '',
    ...zoneTable(report, paper),
    '',
    bold('/proc/buddyinfo (free blocks of order 0 … 10)'),
    ...freeBlocks(report, paper),
    '',
    ...summaryLines(report, paper),
    ...findingLines(report.findings, paper),
    ...report.notes.flatMap((note) => noteLines(note, paper).map(yellow)),
  ];
  return lines.join('\n') + '\n';
}
