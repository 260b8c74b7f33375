/** Samples, medians, and the two ways to print them. */

/** One measured run. */
export interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** Middle value; the mean of the two middle ones for an even count. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Mean and sample standard deviation. */
export function spread(values: readonly number[]): { mean: number; stdev: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, stdev: Math.sqrt(squares / Math.max(1, values.length - 1)) };
}

/** Times a piece of work, CPU time of all threads of the process included. */
export async function timed(work: () => Promise<unknown>): Promise<Sample> {
  const cpu = process.cpuUsage();
  const wall = performance.now();
  await work();
  const wallMs = performance.now() - wall;
  const used = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (used.user + used.system) / 1000 };
}

/** A line of `--json`. */
export interface JsonRow {
  readonly bench: 'page-init';
  readonly case: string;
  readonly subject: string;
  readonly metric: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly n: number;
}

const rounded = (value: number): number => Number(value.toPrecision(5));

/** Summary of values as a row. */
export function row(
  name: string,
  subject: string,
  metric: string,
  unit: string,
  values: readonly number[],
): JsonRow {
  return {
    bench: 'page-init',
    case: name,
    subject,
    metric,
    unit,
    median: rounded(median(values)),
    min: rounded(Math.min(...values)),
    max: rounded(Math.max(...values)),
    n: values.length,
  };
}

/** Prints a table with right-aligned columns. */
export function printTable(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const widths = head.map((cell, i) =>
    Math.max(cell.length, ...rows.map((r) => (r[i] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ');
  console.log(`\n${title}\n${line(head)}`);
  for (const cells of rows) console.log(line(cells));
}
