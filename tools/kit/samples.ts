/**
 * What a benchmark measures and prints: samples of many rounds become rows of medians, which are printed as tables
 * for people or as one JSON object a line.
 */
import { median, spread, type Spread } from './statistics.js';
import { printTable, short } from './table.js';

/** One figure of one subject in one case: the line of `--json`. */
export interface Row extends Spread {
  readonly bench: string;
  readonly case: string;
  readonly subject: string;
  readonly metric: string;
  /** A unit that ends in `/s` is the better the more, every other one the less. */
  readonly unit: string;
}

interface Entry {
  readonly key: Omit<Row, keyof Spread>;
  readonly values: number[];
}

/** How the rows are printed. */
export interface PrintOptions {
  readonly json: boolean;
  /** The subject that others are compared with in the last column; default `bootmem`. */
  readonly ours?: string;
}

/** Collects samples. */
export class Samples {
  readonly #bench: string;
  readonly #entries = new Map<string, Entry>();

  constructor(bench: string) {
    this.#bench = bench;
  }

  /** Adds the value of one round. */
  add(testCase: string, subject: string, metric: string, unit: string, value: number): void {
    const id = [testCase, subject, metric].join('\0');
    let entry = this.#entries.get(id);
    if (entry === undefined) {
      entry = { key: { bench: this.#bench, case: testCase, subject, metric, unit }, values: [] };
      this.#entries.set(id, entry);
    }
    entry.values.push(value);
  }

  /** The values of one figure, a round each; none where it was not measured. */
  values(testCase: string, subject: string, metric: string): readonly number[] {
    return this.#entries.get([testCase, subject, metric].join('\0'))?.values ?? [];
  }

  /** The median of one figure; NaN where it was not measured. */
  median(testCase: string, subject: string, metric: string): number {
    return median(this.values(testCase, subject, metric));
  }

  /** All figures, in the order in which they first came. */
  rows(): Row[] {
    return [...this.#entries.values()].map(({ key, values }) => ({ ...key, ...spread(values) }));
  }

  /** One JSON object a line, or a table for each case. */
  print(options: PrintOptions): void {
    if (options.json) for (const row of this.rows()) printJson(row);
    else this.printTables(options.ours);
  }

  /**
   * A table for each case: subjects down, metrics across, and how many times better ours is than the other in
   * the first metric.
   */
  printTables(ours = 'bootmem'): void {
    const rows = this.rows();
    for (const testCase of new Set(rows.map((row) => row.case))) {
      printCase(
        testCase,
        rows.filter((row) => row.case === testCase),
        ours,
      );
    }
  }
}

/** Prints a row with six significant digits. */
export function printJson(row: Row): void {
  console.log(jsonLine(row));
}

/** A row as one JSON object, with six significant digits. */
export function jsonLine(row: Row): string {
  const rounded = (value: number): number => Number(value.toPrecision(6));
  const { median: middle, min, max, n, ...key } = row;
  return JSON.stringify({
    ...key,
    median: rounded(middle),
    min: rounded(min),
    max: rounded(max),
    n,
  });
}

const figure = ({ median: middle, min, max, n, unit }: Row): string =>
  n === 1 || min === max
    ? `${short(middle)} ${unit}`
    : `${short(middle)} [${short(min)}, ${short(max)}] ${unit}`;

function printCase(testCase: string, rows: readonly Row[], oursName: string): void {
  const metrics = [...new Set(rows.map((row) => row.metric))];
  const ours = rows.find((row) => row.subject === oursName);
  const n = Math.max(...rows.map((row) => row.n));
  const lines = [...new Set(rows.map((row) => row.subject))].map((subject) => {
    const own = metrics.map((metric) =>
      rows.find((row) => row.subject === subject && row.metric === metric),
    );
    const first = own[0];
    const better =
      ours === undefined || first === undefined || subject === oursName
        ? ''
        : `ours ${short(timesBetter(ours, first))}x`;
    return [subject, ...own.map((row) => (row === undefined ? '' : figure(row))), better];
  });
  const rounds = n === 1 ? '1 round' : `medians of ${n} rounds [least, greatest]`;
  printTable(`${testCase}: ${rounds}`, ['', ...metrics, ''], lines);
}

const timesBetter = (ours: Row, other: Row): number =>
  ours.unit.endsWith('/s') ? ours.median / other.median : other.median / ours.median;

/** Ratios of two figures within each round. */
export function ratios(above: readonly number[], below: readonly number[]): number[] {
  return Array.from(
    { length: Math.min(above.length, below.length) },
    (_, round) => above[round]! / below[round]!,
  );
}

/** The subjects in another order each round, so that none always follows the same one. */
export function inTurn<T>(subjects: readonly T[], round: number): T[] {
  const first = round % Math.max(1, subjects.length);
  return [...subjects.slice(first), ...subjects.slice(0, first)];
}
