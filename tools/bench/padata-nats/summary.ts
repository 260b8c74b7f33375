/** What the rates by job length say: efficiency, ratios, and the length from which distribution pays. */
import { Samples, ratios } from '../../kit/samples.js';
import { spread } from '../../kit/statistics.js';
import { reachedFrom } from './break-even.js';

/** The measured lengths and subjects. */
export interface Summary {
  readonly samples: Samples;
  readonly ours: string;
  readonly subjects: readonly string[];
  readonly lengths: readonly number[];
  readonly caseOf: (ms: number) => string;
  readonly nameOf: (ms: number) => string;
}

type Figure = 'rate' | 'CPU';
type Group = (subject: string) => boolean;

const isLocal: Group = (subject) => subject.startsWith('padata, local');
const isBull: Group = (subject) => subject.startsWith('BullMQ');
const isInline: Group = (subject) => subject === 'inline';

/** Our rate (or CPU) against the best of a group in the same round. */
function against(summary: Summary, ms: number, group: Group, figure: Figure): readonly number[] {
  const { samples, ours, subjects, caseOf } = summary;
  const values = (subject: string): readonly number[] =>
    samples.values(caseOf(ms), subject, figure);
  const own = values(ours);
  const others = subjects.filter(group).map(values);
  if (others.length === 0) return [];
  const best = own.map((_, round) => {
    const here = others.map((list) => list[round]!);
    return figure === 'rate' ? Math.max(...here) : Math.min(...here);
  });
  return figure === 'rate' ? ratios(own, best) : ratios(best, own);
}

const times = (values: readonly number[]): string => {
  const { median, min, max } = spread(values);
  return `${median.toFixed(2)}x [${min.toFixed(2)}, ${max.toFixed(2)}]`;
};
const percent = (values: readonly number[]): string => {
  const { median, min, max } = spread(values.map((value) => 100 * value));
  return `${median.toFixed(1)} % [${min.toFixed(1)}, ${max.toFixed(1)}]`;
};

/** Our share of the local pool and of the best BullMQ, as rows. */
export function ratioSamples(summary: Summary): Samples {
  const { ours, lengths, caseOf } = summary;
  const samples = new Samples(ours);
  for (const ms of lengths) {
    for (const figure of ['rate', 'CPU'] as const) {
      for (const share of against(summary, ms, isLocal, figure))
        samples.add(caseOf(ms), ours, `of the local pool by ${figure}`, '%', 100 * share);
      for (const ratio of against(summary, ms, isBull, figure))
        samples.add(caseOf(ms), ours, `of the best BullMQ by ${figure}`, 'x', ratio);
    }
  }
  return samples;
}

/** Prints ratios by job length, and from which length what is reached. */
export function printSummary(summary: Summary): void {
  const { ours, subjects, lengths, nameOf } = summary;
  console.log(`\n${ours} by job length, ratios within each round: median [least, greatest]`);
  for (const ms of lengths) {
    const [rate, cpu] = [
      against(summary, ms, isLocal, 'rate'),
      against(summary, ms, isLocal, 'CPU'),
    ];
    console.log(`  ${nameOf(ms)}`);
    console.log(`    of the local pool: ${percent(rate)} by rate, ${percent(cpu)} by CPU a job`);
    console.log(`    of inline: ${times(against(summary, ms, isInline, 'rate'))}`);
    if (!subjects.some(isBull)) continue;
    const byRate = times(against(summary, ms, isBull, 'rate'));
    const byCpu = times(against(summary, ms, isBull, 'CPU'));
    console.log(`    of the best BullMQ: ${byRate} by rate, ${byCpu} by CPU a job`);
  }
  const from = (group: Group, figure: Figure, limit: number): string => {
    const points = lengths
      .filter((ms) => ms > 0)
      .map((ms) => ({ ms, value: spread(against(summary, ms, group, figure)).median }));
    const ms = reachedFrom(points, limit);
    return ms === undefined ? 'not reached' : `${ms < 1 ? ms.toFixed(2) : ms.toFixed(1)} ms`;
  };
  const both = (limit: number): string =>
    `${from(isLocal, 'rate', limit)} by rate, ${from(isLocal, 'CPU', limit)} by CPU`;
  console.log(`\nthe job length from which`);
  console.log(`  workers beat the calling thread alone: ${from(isInline, 'rate', 1)}`);
  console.log(`  two such hosts beat one local pool (50 % of it each): ${both(0.5)}`);
  console.log(`  85 % of the local pool are reached: ${both(0.85)}`);
}
