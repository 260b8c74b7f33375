/** What a benchmark prints: rows of medians, as a table for people or as one object a line. */

/** One measured figure of one subject in one case. */
export interface Row {
  readonly bench: string;
  readonly case: string;
  readonly subject: string;
  readonly metric: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly n: number;
}

/** Collects samples of many rounds and turns them into rows. */
export class Samples {
  readonly #values = new Map<
    string,
    { key: Omit<Row, 'median' | 'min' | 'max' | 'n'>; values: number[] }
  >();
  readonly #bench: string;

  constructor(bench = 'padata') {
    this.#bench = bench;
  }

  add(testCase: string, subject: string, metric: string, unit: string, value: number): void {
    const id = [testCase, subject, metric].join('\0');
    let entry = this.#values.get(id);
    if (entry === undefined) {
      entry = { key: { bench: this.#bench, case: testCase, subject, metric, unit }, values: [] };
      this.#values.set(id, entry);
    }
    entry.values.push(value);
  }

  rows(): Row[] {
    return [...this.#values.values()].map(({ key, values }) => {
      const sorted = [...values].sort((a, b) => a - b);
      return {
        ...key,
        median: sorted[sorted.length >> 1]!,
        min: sorted[0]!,
        max: sorted.at(-1)!,
        n: sorted.length,
      };
    });
  }
}

const short = (value: number): string => {
  if (!Number.isFinite(value)) return '-';
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)} k`;
  if (value >= 100) return value.toFixed(0);
  return value.toFixed(value >= 10 ? 1 : 2);
};

/**
 * Prints one table a case: subjects down, metrics across, and how many times better ours is than each
 * other subject in the first metric.
 */
export function printTables(rows: readonly Row[], oursName = 'bootmem'): void {
  for (const testCase of new Set(rows.map((row) => row.case))) {
    const here = rows.filter((row) => row.case === testCase);
    const metrics = [...new Set(here.map((row) => row.metric))];
    const ours = here.find((row) => row.subject === oursName);
    console.log(`\n${testCase}`);
    const cells = [...new Set(here.map((row) => row.subject))].map((subject) => {
      const own = metrics.map((metric) =>
        here.find((row) => row.subject === subject && row.metric === metric),
      );
      const first = own[0];
      const higherIsBetter = first?.unit.endsWith('/s') ?? false;
      const ratio =
        ours === undefined || first === undefined || subject === oursName
          ? ''
          : `ours ${(higherIsBetter ? ours.median / first.median : first.median / ours.median).toFixed(2)}x`;
      return [
        subject,
        ...own.map((row) =>
          row === undefined
            ? ''
            : `${short(row.median)} [${short(row.min)}, ${short(row.max)}] ${row.unit}`,
        ),
        ratio,
      ];
    });
    const table = [['', ...metrics, ''], ...cells];
    const widths = table[0]!.map((_, column) =>
      Math.max(...table.map((line) => line[column]!.length)),
    );
    for (const line of table) {
      console.log(
        `  ${line.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd(),
      );
    }
  }
}
