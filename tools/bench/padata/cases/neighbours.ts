/**
 * Rows of the table of speeds with two busy neighbour processes and without, by turns: how many times better than the
 * best pool, there and here. What spins, or counts on a processor of its own, loses here.
 */
import { inTurn, ratios, type Samples } from '../../../kit/samples.js';
import { best, median } from '../../../kit/statistics.js';
import type { Targets } from '../../../kit/targets.js';
import type { BenchOptions } from '../bench-options.js';
import {
  BEST_PEERS,
  TRIVIAL,
  VALUES,
  ownSubject,
  sampleOf,
  spinning,
  type Load,
} from '../loads.js';
import { bareThreads } from '../bare.js';
import { busyNeighbours } from '../neighbours.js';
import type { Subject } from '../peers.js';
import { DEFAULT_WINDOW, bootmem } from '../subjects.js';
import { calibrate } from '../threads/tasks.mjs';
import { FRESH_POOLS, firstResultOf } from './first-result.js';
import { latencyOf, paceFor } from './latency.js';

const NEIGHBOURS = 2;
const IN_FLIGHT = 64;
const LEAST = 0.75;
const MOST_ROUNDS = 5;
/** They await half of what is in flight. */
const BARE_THREADS = bareThreads(2);
const STATES = ['alone', `${NEIGHBOURS} busy neighbours`] as const;
const [ALONE, BUSY] = STATES;
const FRESH = { name: 'first result of a fresh pool', tries: 3 };

/** A row: its subjects, and a figure of each, the more the better. */
interface Row {
  readonly name: string;
  readonly unit: string;
  readonly subjects: readonly string[];
  readonly pools: readonly string[];
  figure(subject: string): Promise<number>;
}

const named = (subjects: readonly Subject[], name: string): Subject =>
  subjects.find((subject) => subject.name === name)!;

/** @param bounds subjects that are no pools, to compare with */
function rateRow(
  load: Load,
  inFlight: number,
  options: BenchOptions,
  bounds: readonly Subject[] = [],
): Row {
  const subjects = [ownSubject(load, inFlight), ...bounds, ...BEST_PEERS];
  return {
    name: `${load.name}, ${inFlight} in flight`,
    unit: 'jobs/s',
    subjects: subjects.map(({ name }) => name),
    pools: BEST_PEERS.map(({ name }) => name),
    figure: async (name) => (await sampleOf(named(subjects, name), load, inFlight, options)).rate,
  };
}

function rows(options: BenchOptions): Row[] {
  const hundred = spinning(100, calibrate(100));
  const latencySubjects = [bootmem(hundred.fn, DEFAULT_WINDOW, hundred.shared), ...BEST_PEERS];
  return [
    rateRow(TRIVIAL, IN_FLIGHT, options),
    rateRow(spinning(10, calibrate(10)), IN_FLIGHT, options, [BARE_THREADS]),
    rateRow(hundred, IN_FLIGHT, options, [BARE_THREADS]),
    ...[VALUES.eightIn, VALUES.eight, VALUES.text, VALUES.bytes].map((load) =>
      rateRow(load, IN_FLIGHT, options),
    ),
    {
      name: 'latency of 100 us jobs at a quarter load',
      unit: '/s',
      subjects: latencySubjects.map(({ name }) => name),
      pools: BEST_PEERS.map(({ name }) => name),
      figure: async (name) => {
        const pace = paceFor(options.threads, 0.25);
        const subject = named(latencySubjects, name);
        return 1e6 / (await latencyOf(subject, hundred, pace, options)).p50;
      },
    },
    {
      name: FRESH.name,
      unit: '/s',
      subjects: ['bootmem', ...FRESH_POOLS],
      pools: FRESH_POOLS,
      figure: async (name) => {
        const times: number[] = [];
        for (let i = 0; i < FRESH.tries; i += 1) times.push((await firstResultOf(name)).wallMs);
        return 1000 / median(times);
      },
    },
  ];
}

export async function neighbours(
  samples: Samples,
  options: BenchOptions,
  targets: Targets,
): Promise<void> {
  const all = rows(options).filter(({ name }) => name.includes(options.only));
  const caseOf = (row: Row, state: string): string => `${row.name}, ${state}`;
  for (let round = 0; round < Math.min(options.rounds, MOST_ROUNDS); round += 1) {
    for (const row of all) {
      for (const state of inTurn(STATES, round)) {
        const end = await busyNeighbours(state === BUSY ? NEIGHBOURS : 0);
        for (const subject of inTurn(row.subjects, round))
          samples.add(caseOf(row, state), subject, 'rate', row.unit, await row.figure(subject));
        await end();
      }
    }
  }
  for (const row of all) {
    const rates = (subject: string, state: string): readonly number[] =>
      samples.values(caseOf(row, state), subject, 'rate');
    const ratio = (state: string): number => {
      const pool = best(row.pools, (subject) => median(rates(subject, state)));
      return median(ratios(rates('bootmem', state), rates(pool, state)));
    };
    targets.atLeast(
      `${row.name}: times the best pool beside neighbours, of the times alone`,
      ratio(BUSY) / ratio(ALONE),
      LEAST,
      'x',
    );
  }
}
