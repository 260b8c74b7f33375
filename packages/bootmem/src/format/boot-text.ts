/**
 * A boot for people: zone table, buddyinfo, and the numbers one wants to see. Works from the JSON form
 * only, so that the text can never say more than `--json`.
 */
import type { Colors } from './colors.js';
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
import { formatTable } from './table.js';

/**
 * The zone table.
 * @param report  a finished boot
 * @returns lines
 */
function zoneTable(report: BootReport): string[] {
  const parked = report.zones.some((zone) => zone.unacceptedPages > 0);
  return formatTable(
    [
      { title: 'node', align: 'right' },
      { title: 'zone' },
      { title: 'start' },
      { title: 'spanned', align: 'right' },
      { title: 'present', align: 'right' },
      { title: 'managed', align: 'right' },
      { title: 'free', align: 'right' },
      ...(parked ? [{ title: 'unaccepted', align: 'right' as const }] : []),
      { title: 'min', align: 'right' },
      { title: 'low', align: 'right' },
      { title: 'high', align: 'right' },
      { title: 'size', align: 'right' },
    ],
    report.zones.map((zone) => [
      String(zone.nid),
      zone.name,
      formatAddress(zone.startPfn * PAGE_SIZE),
      formatCount(zone.spannedPages),
      formatCount(zone.presentPages),
      formatCount(zone.managedPages),
      formatCount(zone.freePages),
      ...(parked ? [formatCount(zone.unacceptedPages)] : []),
      formatCount(zone.min),
      formatCount(zone.low),
      formatCount(zone.high),
      formatBytes(zone.presentPages * PAGE_SIZE),
    ]),
  );
}

/**
 * The numbers below the tables: times, rate, share of each thread, memory used.
 * @param report  a finished boot
 * @returns lines
 */
function summaryLines(report: BootReport): string[] {
  const { timing, machine } = report;
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
      `${formatCount(timing.initialisedPages)} pages, ${formatRate(timing.pagesPerSecond, 'pages')}`,
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
      `node ${device.nid}: ${formatCount(device.endPfn - device.startPfn)} pages after boot in ${formatMs(device.ms)}`,
    ]);
  }
  if (report.unaccepted !== undefined) {
    const { acceptedUnits, totalUnits, unitBytes } = report.unaccepted;
    rows.push([
      'accepted',
      `${formatCount(acceptedUnits)} of ${formatCount(totalUnits)} units of ${formatBytes(unitBytes)}`,
    ]);
  }
  if (report.growth !== undefined) {
    rows.push([
      'grown on demand',
      `${formatCount(report.growth.grows)} times, ${formatCount(report.growth.pages)} pages; ${formatCount(report.growth.leftPages)} pages still untouched`,
    ]);
  }
  if (report.predicted !== undefined) {
    const { pages, ms, pagesPerSecond, sampledPages } = report.predicted;
    rows.push([
      'predicted',
      `${formatCount(pages)} pages more in ${formatMs(ms)} by one thread, at ${formatRate(pagesPerSecond, 'pages')} of the ${formatCount(sampledPages)} that were timed`,
    ]);
  }
  return formatTable([{ title: '' }, { title: '' }], rows);
}

/**
 * Everything `boot` prints after its log lines.
 * @param report  a finished boot
 * @param colors  headings are bold when colours are on
 * @returns text with a final newline
 */
export function bootText(report: BootReport, colors: Colors): string {
  const lines = [
    '',
    colors.bold('Zones (pages)'),
    ...zoneTable(report),
    '',
    colors.bold('/proc/buddyinfo (free blocks of order 0 … 10)'),
    ...report.buddyinfo.trimEnd().split('\n'),
    '',
    ...summaryLines(report),
    ...findingLines(report.findings, colors),
    ...report.notes.map((note) => colors.yellow(`note: ${note}`)),
  ];
  return lines.join('\n') + '\n';
}
