/** The measured rows that all documents draw from: docs/figures/BENCH.jsonl, as `npm run bench -- BENCH --json` prints them. */
import { readFileSync, readdirSync } from 'node:fs';

/** One figure. Rows of early runs have no `min` and `max`. */
export interface Figure {
  readonly bench: string;
  readonly case: string;
  readonly subject: string;
  readonly metric: string;
  readonly unit: string;
  readonly median: number;
  readonly min?: number;
  readonly max?: number;
  readonly n: number;
}

const folder = new URL('../../docs/figures/', import.meta.url);
const figures = readdirSync(folder)
  .filter((file) => file.endsWith('.jsonl'))
  .flatMap((file) => readFileSync(new URL(file, folder), 'utf8').split('\n'))
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Figure);

/** What says which figure: the case, the subject, the metric. */
export type Key = readonly [testCase: string, subject: string, metric: string];

/** The row of a figure, or undefined where it was not measured. */
export function findFigure(bench: string, [testCase, subject, metric]: Key): Figure | undefined {
  return figures.find(
    (row) =>
      row.bench === bench &&
      row.case === testCase &&
      row.subject === subject &&
      row.metric === metric,
  );
}

/**
 * The row of a figure.
 * @throws Error when it was not measured
 */
export function figure(bench: string, ...key: Key): Figure {
  const found = findFigure(bench, key);
  if (found === undefined) throw new Error(`docs/figures has no ${[bench, ...key].join(' | ')}`);
  return found;
}

/** The row of the subject with the greatest figure of a metric among those that `isIt` names. */
export function best(
  bench: string,
  testCase: string,
  metric: string,
  isIt: (subject: string) => boolean,
): Figure {
  const rows = figures.filter(
    (row) => row.bench === bench && row.case === testCase && row.metric === metric,
  );
  return rows
    .filter((row) => isIt(row.subject))
    .reduce((left, right) => (right.median > left.median ? right : left));
}
