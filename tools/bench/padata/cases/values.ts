/** No cliffs: values that are no numbers, by `run` with default options, 64 in flight, beside the pools. */
import { inTurn, ratios, type Samples } from '../../../kit/samples.js';
import { best, median } from '../../../kit/statistics.js';
import type { Targets } from '../../../kit/targets.js';
import type { BenchOptions } from '../bench-options.js';
import { ALONE, JSON_ALONE, copiedAloneUs, isPlainData, jsonAloneUs } from '../copied-alone.js';
import { BEST_PEERS, VALUES, ownSubject, sampleOf, type Load } from '../loads.js';
import { DEFAULT_WINDOW } from '../subjects.js';

const IN_FLIGHT = 64;
/** Jobs a second, on a machine whose numbers reach the first of them. */
const LEAST: readonly (readonly [Load, number])[] = [
  [VALUES.number, 3e6],
  [VALUES.threeIn, 1.5e6],
  [VALUES.eightIn, 0.7e6],
  [VALUES.three, 0.8e6],
  [VALUES.eight, 0.35e6],
  [VALUES.text, 0.6e6],
  [VALUES.bytes, 0.5e6],
];
const LEAST_OF_BEST_POOL = 1.2;

export async function values(
  samples: Samples,
  options: BenchOptions,
  targets: Targets,
): Promise<void> {
  const caseOf = (load: Load): string => `${load.name}, ${IN_FLIGHT} in flight`;
  const chosen = LEAST.filter(([load]) => load.name.includes(options.only));
  for (let round = 0; round < options.rounds; round += 1) {
    for (const [load] of chosen) {
      const subjects = [ownSubject(load, DEFAULT_WINDOW), ...BEST_PEERS];
      for (const subject of inTurn(subjects, round)) {
        const { rate, cpu } = await sampleOf(subject, load, IN_FLIGHT, options);
        samples.add(caseOf(load), subject.name, 'rate', 'jobs/s', rate);
        samples.add(caseOf(load), subject.name, 'CPU', 'us/job', cpu);
      }
      if (typeof load.ours === 'number') continue;
      const ways = load.fn === 'same' ? 2 : 1;
      samples.add(caseOf(load), ALONE, 'CPU', 'us/job', copiedAloneUs(load.ours, ways));
      if (!isPlainData(load.ours)) continue;
      samples.add(caseOf(load), JSON_ALONE, 'CPU', 'us/job', jsonAloneUs(load.ours, ways));
    }
  }
  for (const [load, least] of chosen) {
    const rates = (subject: string): readonly number[] =>
      samples.values(caseOf(load), subject, 'rate');
    targets.atLeast(load.name, median(rates('bootmem')), least, '/s');
    const pool = best(BEST_PEERS, ({ name }) => median(rates(name)));
    const ratio = median(ratios(rates('bootmem'), rates(pool.name)));
    targets.atLeast(`${load.name}: of ${pool.name}`, ratio, LEAST_OF_BEST_POOL, 'x');
  }
}
