/**
 * The native anchor: oneTBB's `parallel_pipeline` (native/pipeline.cpp) beside this package, each in a process of its own on
 * the same two processors, by turns. The processes stay, warm; the one that is not measured sleeps. Before each round
 * the length of a job is measured anew in either language, as the machine's speed changes. Ratios are those of one round;
 * after a few rounds new processes begin, as one may have been lucky.
 */
import { fileURLToPath } from 'node:url';
import { pinning, type CommandLine, type Pinning } from '../../../kit/cpus.js';
import { LineProgram } from '../../../kit/line-program.js';
import { compileCpp } from '../../../kit/native.js';
import { inTurn, ratios, type Samples } from '../../../kit/samples.js';
import { median } from '../../../kit/statistics.js';
import type { Targets } from '../../../kit/targets.js';
import { warmUp } from '../../../kit/warm-up.mjs';
import { BARE } from '../bare.js';
import type { BenchOptions } from '../bench-options.js';
import type { Measured } from '../measure.js';
import type { Way } from '../subjects.js';

const NATIVE = 'oneTBB parallel_pipeline';
const SLICE_MS = 50;
const SHORT_US = 1;
/** Rounds of the same processes. */
const ROUNDS_OF_A_LIFE = 5;
const LEAST_ROUNDS = 15;
const QUICK_ROUNDS = 3;

interface Contest {
  readonly name: string;
  /** Microseconds; 0: the trivial job. */
  readonly job: number;
  readonly inFlight: number;
  readonly ways: readonly Way[];
  /** Of the way that is held to them, the first. */
  readonly least: number;
  readonly mostCpu?: number;
}

const CONTESTS: readonly Contest[] = [
  {
    name: '10 us job, 64 in flight',
    job: 10,
    inFlight: 64,
    ways: ['submit', 'submit with more', 'run'],
    least: 0.95,
    mostCpu: 1.1,
  },
  {
    name: '100 us job, 64 in flight',
    job: 100,
    inFlight: 64,
    ways: ['submit', 'submit with more', 'run'],
    least: 0.98,
  },
  {
    name: 'trivial job, 64 in flight',
    job: 0,
    inFlight: 64,
    ways: ['submit', 'run'],
    least: 1,
  },
  {
    name: 'trivial job, 1024 in flight',
    job: 0,
    inFlight: 1024,
    ways: ['submit', 'run'],
    least: 1,
  },
];

/** A subject's process. */
class Contestant {
  readonly name: string;
  readonly #program: LineProgram;
  #steps = 0;

  constructor(name: string, line: CommandLine) {
    this.name = name;
    this.#program = new LineProgram(line);
  }

  async calibrate(microseconds: number): Promise<void> {
    if (microseconds === 0) return;
    this.#steps = Number(await this.#program.ask(`calibrate ${microseconds}`));
  }

  /** Microseconds of CPU that a job takes now. */
  async cost(): Promise<number> {
    return Number(await this.#program.ask(`cost ${this.#steps}`));
  }

  async run(ms: number): Promise<Measured> {
    const answer = await this.#program.ask(`run ${this.#steps} ${ms}`);
    const [jobs = 0, wallMs = 0, cpuMs = 0] = answer.split(' ').map(Number);
    return { rate: (jobs / wallMs) * 1000, cpu: (cpuMs / jobs) * 1000 };
  }

  /** Short jobs first: an engine compiles after so many calls, which long ones would take a minute for. */
  async warm(microseconds: number): Promise<void> {
    for (const job of microseconds === 0 ? [0] : [SHORT_US, microseconds]) {
      await this.calibrate(job);
      await warmUp(async () => (await this.run(SLICE_MS)).rate);
    }
  }

  async close(): Promise<void> {
    await this.#program.close();
  }
}

const nameOf = (way: Way | typeof BARE): string => (way === BARE ? BARE : `bootmem, ${way}`);
/** Jobs that take time are also run without a pool: what is left when an owner does nothing but hand them out. */
const allWays = ({ ways, job }: Contest): readonly (Way | typeof BARE)[] =>
  job === 0 ? ways : [...ways, BARE];

function contestants(
  contest: Contest,
  native: string,
  threads: number,
  pinned: Pinning,
): Contestant[] {
  const { inFlight, job } = contest;
  const loader = new URL('../../../ts-loader.mjs', import.meta.url).href;
  const own = fileURLToPath(new URL('../programs/own-pipeline.ts', import.meta.url));
  const numbers = [String(threads), String(inFlight)];
  return [
    ...allWays(contest).map((way) => {
      const args = [own, way, ...numbers, job === 0 ? 'trivial' : 'burn'];
      const line: CommandLine = [process.execPath, '--import', loader, ...args];
      return new Contestant(nameOf(way), pinned.of(line));
    }),
    new Contestant(NATIVE, pinned.of([native, ...numbers])),
  ];
}

export async function tbb(
  samples: Samples,
  options: BenchOptions,
  targets: Targets,
): Promise<void> {
  const native = compileCpp(new URL('../native/pipeline.cpp', import.meta.url), ['tbb']);
  if (native === undefined) {
    console.error('no C++ compiler or no oneTBB (Debian: g++, libtbb-dev) here: tbb is left out');
    return;
  }
  const pinned = pinning(2);
  const rounds = options.quick ? QUICK_ROUNDS : Math.max(LEAST_ROUNDS, options.rounds);
  for (const contest of CONTESTS) {
    if (!contest.name.includes(options.only)) continue;
    const title = `${contest.name}, ${options.threads} threads, ${pinned.words}`;
    for (let begun = 0; begun < rounds; begun += ROUNDS_OF_A_LIFE) {
      const subjects = contestants(contest, native.path, options.threads, pinned);
      for (const subject of subjects) await subject.warm(contest.job);
      const end = Math.min(rounds, begun + ROUNDS_OF_A_LIFE);
      for (let round = begun; round < end; round += 1) {
        for (const subject of subjects) await subject.calibrate(contest.job);
        for (const subject of inTurn(subjects, round)) {
          const { rate, cpu } = await subject.run(options.sampleMs);
          samples.add(title, subject.name, 'rate', 'jobs/s', rate);
          samples.add(title, subject.name, 'CPU', 'us/job', cpu);
        }
        if (contest.job === 0) continue;
        for (const subject of subjects)
          samples.add(title, subject.name, 'the job alone', 'us', await subject.cost());
      }
      for (const subject of subjects) await subject.close();
    }
    compare(samples, title, contest, targets);
  }
  native.remove();
}

/** The ratios of the rounds, and the targets of the way that is held to them. */
function compare(samples: Samples, title: string, contest: Contest, targets: Targets): void {
  for (const way of allWays(contest)) {
    for (const metric of ['rate', 'CPU']) {
      const values = (subject: string): readonly number[] => samples.values(title, subject, metric);
      for (const ratio of ratios(values(nameOf(way)), values(NATIVE)))
        samples.add(title, nameOf(way), `${metric}, of oneTBB's`, '', ratio);
    }
  }
  const [held = 'submit'] = contest.ways;
  const ratio = (metric: string): number =>
    median(samples.values(title, nameOf(held), `${metric}, of oneTBB's`));
  targets.atLeast(`${contest.name}, ${held}: rate, of oneTBB's`, ratio('rate'), contest.least, 'x');
  if (contest.mostCpu !== undefined)
    targets.atMost(
      `${contest.name}, ${held}: CPU, of oneTBB's`,
      ratio('CPU'),
      contest.mostCpu,
      'x',
    );
}
