/** What holds for every table of `explain`, whatever the log. */
import { expect } from '@jest/globals';
import type { ExplainReport } from '../../dist/explain-result.js';

/** Everything that must add up; the first thing that does not, in words. */
export function firstFault(report: ExplainReport): string | undefined {
  let passedOn: number | undefined;
  for (const { id, whole, rows, rest, left } of report.levels) {
    const sum = rows.reduce((bytes, row) => bytes + row.bytes, rest.bytes + (left?.bytes ?? 0));
    if (sum !== whole.bytes) return `${id}: parts are ${sum}, the whole is ${whole.bytes}`;
    const amounts = [whole.bytes, rest.bytes, left?.bytes ?? 0, ...rows.map((row) => row.bytes)];
    if (!amounts.every((bytes) => Number.isSafeInteger(bytes) && bytes >= 0)) {
      return `${id}: an amount is no whole number from 0 on`;
    }
    // An option or the kernel may make memory usable that the firmware does not call so; nobody takes it away between.
    const isChained = id === 'trimmed' || id === 'reserved';
    if (isChained && passedOn !== undefined && passedOn > whole.bytes) {
      return `${id}: ${passedOn} were passed on, the whole is ${whole.bytes}`;
    }
    if (id === 'reserved' && passedOn !== undefined && passedOn !== whole.bytes) {
      return `${id}: ${passedOn} were passed on, the whole is ${whole.bytes}`;
    }
    passedOn = left?.bytes;
    const ids = rows.map((row) => row.id);
    if (new Set(ids).size !== ids.length) return `${id}: two rows of one name`;
    const nameless = rows.find((row) => row.evidence.length === 0);
    if (nameless !== undefined) return `${id}: ${nameless.id} rests on nothing`;
    const fault = faultOfRanges(rows);
    if (fault !== undefined) return `${id}: ${fault}`;
  }
  return undefined;
}

function faultOfRanges(rows: ExplainReport['levels'][number]['rows']): string | undefined {
  const all = rows.flatMap(({ id, ranges = [] }) => ranges.map((range) => ({ ...range, id })));
  all.sort((a, b) => a.start - b.start);
  for (const [index, range] of all.entries()) {
    const before = all[index - 1];
    if (before !== undefined && before.end > range.start)
      return `${before.id} and ${range.id} meet`;
  }
  for (const { id, ranges, bytes } of rows) {
    const length = ranges?.reduce((sum, { start, end }) => sum + end - start, 0) ?? bytes;
    if (length !== bytes) return `${id}: its ranges have ${length} bytes, it says ${bytes}`;
  }
  return undefined;
}

/** Rows of a level in KiB by id, the rest and what goes on among them. */
export function kibOf(report: ExplainReport, id: string): Record<string, number> {
  const level = report.levels.find((one) => one.id === id);
  expect(level).toBeDefined();
  const rows = level!.rows.map((row) => [row.id, row.bytes / 1024] as const);
  return {
    whole: level!.whole.bytes / 1024,
    ...Object.fromEntries(rows),
    rest: level!.rest.bytes / 1024,
    ...(level!.left === undefined ? {} : { left: level!.left.bytes / 1024 }),
  };
}
