// How much of what kernels call "reserved" has a name, over all logs: recorded boots and those of real machines.
//   npm run conformance -- explain [FOLDER or FILE…]
// A log passes when its table adds up. What rules gave too much (`cut`) counts as much as what has no name.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sharedOracle } from '@bootmem-tools/oracle';
import { loadMachine } from 'bootmem';
import { explainLog, freeAtHandover } from 'bootmem/check';
import { conformanceOptions } from '../kit/options.js';

/** One log. */
interface Outcome {
  readonly name: string;
  readonly architecture: string;
  /** Bytes that are reserved; absent where the log does not say. */
  readonly reserved?: number;
  /** Bytes without a name, or with one too many. */
  readonly unnamed: number;
  /** Bytes between installed and usable without a name, as a share of installed; absent where that is not known. */
  readonly firmware?: number;
  /** Boot's free memory beside what the `Memory:` line calls available; absent where that is not printed whole. */
  // `equal`; why the line has pages in neither amount; or what differs.
  readonly free?: string;
}

const PERCENT = 100;

function logs(root: string): string[] {
  if (!statSync(root).isDirectory() || existsSync(join(root, 'dmesg.txt'))) return [root];
  return readdirSync(root)
    .map((name) => join(root, name))
    .filter((path) => path.endsWith('.dmesg') || existsSync(join(path, 'dmesg.txt')))
    .sort();
}

async function measure(path: string): Promise<Outcome | string> {
  const report = await explainLog(path);
  for (const { id, whole, rows, rest, left } of report.levels) {
    const sum = rows.reduce((bytes, row) => bytes + row.bytes, rest.bytes + (left?.bytes ?? 0));
    if (sum !== whole.bytes) return `${id}: parts are ${sum}, the whole is ${whole.bytes}`;
  }
  const level = report.levels.find(({ id }) => id === 'reserved');
  const cut = level?.rows.reduce((sum, row) => sum + (row.cut ?? 0), 0) ?? 0;
  const firmware = report.levels.find(({ id }) => id === 'firmware');
  const isKnown = firmware?.whole.label === 'installed memory';
  return {
    name: basename(path),
    architecture: report.architecture,
    unnamed: (level?.rest.bytes ?? 0) + cut,
    ...(level?.left === undefined ? {} : { reserved: level.whole.bytes - level.left.bytes }),
    ...(isKnown ? { firmware: firmware.rest.share } : {}),
    ...(await freeMemory(path)),
  };
}

/** What a line's amounts may leave out, with what proves it. */
const EXCEPTIONS = [
  'deferred: before 6.11 the line comes first, and lines say that pages were deferred',
  'in use: what the allocator had given away by then, below 5 % of all',
  'lines lost: the log has no banner, or ends before it tells of deferred pages',
] as const;

/**
 * Boot's free memory is within a percent of what the line calls available; or the line itself shows that pages are in
 * neither of its amounts, and then within a percent of what it does not call reserved.
 */
async function freeMemory(path: string): Promise<Pick<Outcome, 'free'>> {
  const input = await loadMachine(path);
  const { printed, kernel } = input.description;
  const line = printed.memory;
  const reservedKb = line?.partsKb['reserved'];
  if (line === undefined || reservedKb === undefined) return {};
  const freeKb = freeAtHandover(input) / 1024;
  const totalKb = line.totalKb - (line.partsKb['absent'] ?? 0);
  const unreservedKb = totalKb - reservedKb - (line.partsKb['cma-reserved'] ?? 0);
  const isNear = (kb: number): boolean => Math.abs(freeKb - kb) <= totalKb / 100;
  if (isNear(line.availableKb)) return { free: 'equal' };
  const neither = (unreservedKb - line.availableKb) / totalKb;
  if (neither > 0 && isNear(unreservedKb)) {
    if (line.beforeDeferred === true && printed.deferred.length > 0) return { free: EXCEPTIONS[0] };
    if (neither < 0.05) return { free: EXCEPTIONS[1] };
    if (kernel === undefined) return { free: EXCEPTIONS[2] };
  }
  return { free: `${Math.round(freeKb)}K free, ${line.availableKb}K available` };
}

/** The value below which a share of the sorted values lies. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round(share * (sorted.length - 1))] ?? 0;
}

function row(name: string, values: readonly number[]): string {
  const cells = [quantile(values, 0.5), quantile(values, 0.9), Math.max(...values)].map((value) =>
    `${(value * PERCENT).toFixed(2)} %`.padStart(10),
  );
  return `${name.padEnd(34)} ${String(values.length).padStart(5)} ${cells.join('')}`;
}

const { paths: given } = conformanceOptions(
  'explain',
  'How much of what kernels call "reserved" has a name.',
  'PATH',
  {},
);
const fallback = (['corpus', 'boots', 'boots2'] as const).flatMap(
  (name) => sharedOracle(name) ?? [],
);
const outcomes: Outcome[] = [];
let failed = 0;
for (const path of (given.length > 0 ? given : fallback).flatMap(logs)) {
  const outcome = await measure(path);
  if (typeof outcome === 'string') {
    failed++;
    console.log(`FAILED    ${basename(path)}: ${outcome}`);
  } else outcomes.push(outcome);
}
const known = outcomes.flatMap((one) =>
  one.reserved === undefined ? [] : [{ ...one, share: one.unnamed / one.reserved }],
);
for (const { name, share, unnamed } of known.toSorted((a, b) => b.share - a.share).slice(0, 30)) {
  if (share < 0.03) break;
  console.log(
    `${(share * PERCENT).toFixed(1).padStart(6)} %  ${(unnamed / 2 ** 20).toFixed(1).padStart(8)} MiB  ${name}`,
  );
}
console.log(`\n${'reserved without a name'.padEnd(34)}  logs     median       p90       most`);
for (const architecture of [...new Set(known.map((one) => one.architecture))].sort()) {
  const own = known.filter((one) => one.architecture === architecture);
  console.log(
    row(
      architecture,
      own.map(({ share }) => share),
    ),
  );
}
console.log(
  row(
    'all',
    known.map(({ share }) => share),
  ),
);
const firmware = outcomes.flatMap((one) => (one.firmware === undefined ? [] : [one.firmware]));
if (firmware.length > 0) console.log(row('installed to usable', firmware));
const compared = outcomes.flatMap(({ name, free }) => (free === undefined ? [] : [{ name, free }]));
const near = compared.filter(({ free }) => free === 'equal').length;
for (const { name, free } of compared) {
  if (free === 'equal' || EXCEPTIONS.some((one) => one === free)) continue;
  failed++;
  console.log(`FREE      ${name}: ${free}`);
}
console.log(
  `boot's free memory: ${near} of ${compared.length} logs within 1 % of "available"; exceptions:`,
);
for (const reason of EXCEPTIONS) {
  const names = compared.flatMap(({ name, free }) => (free === reason ? [name] : []));
  const some = names.length > 3 ? `${names.slice(0, 3).join(', ')}, …` : names.join(', ');
  console.log(`${String(names.length).padStart(5)}  ${reason} (${some})`);
}
console.log(`${outcomes.length - known.length} logs do not say how much is reserved`);
console.log(`explain: ${outcomes.length} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
