/** Small tools of the benchmark: samples, tables, one line of JSON per metric. */

/** Values of one metric over the repeats. */
export interface Sample {
  readonly case: string;
  readonly subject: string;
  readonly metric: string;
  readonly unit: string;
  readonly values: number[];
}

/** Collects samples and prints them. */
export class Samples {
  readonly #samples = new Map<string, Sample>();

  /** Adds one value. */
  add(name: string, subject: string, metric: string, unit: string, value: number): void {
    const key = [name, subject, metric].join('|');
    const sample = this.#samples.get(key) ?? { case: name, subject, metric, unit, values: [] };
    sample.values.push(value);
    this.#samples.set(key, sample);
  }

  /** Median of a metric. */
  median(name: string, subject: string, metric: string): number {
    return median(this.#samples.get([name, subject, metric].join('|'))?.values ?? []);
  }

  /** One line of JSON a metric. */
  printJson(): void {
    for (const { values, ...sample } of this.#samples.values()) {
      const fields = {
        bench: 'unaccepted',
        ...sample,
        median: median(values),
        min: Math.min(...values),
        max: Math.max(...values),
        n: values.length,
      };
      console.log(JSON.stringify(fields));
    }
  }

  /** A table for each case, in the order they came. */
  printTables(): void {
    const names = new Set([...this.#samples.values()].map((sample) => sample.case));
    for (const name of names) this.printTable(name);
  }

  /** A table of one case: a row per subject, a column per metric (median). */
  printTable(name: string): void {
    const own = [...this.#samples.values()].filter((sample) => sample.case === name);
    const metrics = [...new Set(own.map((sample) => `${sample.metric} ${sample.unit}`))];
    const subjects = [...new Set(own.map((sample) => sample.subject))];
    const repeats = Math.max(...own.map((sample) => sample.values.length));
    console.log(`\n${name}   (medians of ${repeats})`);
    const rows = [['', ...metrics]];
    for (const subject of subjects) {
      rows.push([
        subject,
        ...metrics.map((metric) => {
          const sample = own.find(
            (s) => s.subject === subject && `${s.metric} ${s.unit}` === metric,
          );
          return sample === undefined ? '' : format(median(sample.values));
        }),
      ]);
    }
    const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
    for (const row of rows) {
      console.log(
        row
          .map((cell, column) =>
            column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
          )
          .join('  '),
      );
    }
  }
}

/** Middle value; the upper one of two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Value below which `share` of the sorted values lie. */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Three significant digits. */
export function format(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return Math.round(value).toString();
  return value.toPrecision(3);
}
