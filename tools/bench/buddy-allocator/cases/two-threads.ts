/**
 * Two threads on one pool beside two processes of one thread each that run at the same time: what sharing costs, and
 * nothing else, as both sides use two processors and the memory's bandwidth. The sides take turns; their processes
 * stay, warm, and sleep while the other side runs. Each thread has the same number of pages and the same trace on both.
 */
import { fileURLToPath } from 'node:url';
import { pinning, type Pinning } from '../../../kit/cpus.js';
import { LineProgram } from '../../../kit/line-program.js';
import { inTurn, ratios, type Samples } from '../../../kit/samples.js';
import { median } from '../../../kit/statistics.js';
import type { Targets } from '../../../kit/targets.js';
import { LARGE } from '../jobs.js';

const THREADS = 'two threads, one pool';
const PROCESSES = 'two processes of one thread';
const PER_CPU = 'operations per CPU-second';
const PER_SECOND = 'operations per second';
const TRACES = ['a', 'b'] as const;
const LEAST = 0.85;
const OPERATIONS = 24e6;
const ROUNDS = 15;
const QUICK_ROUNDS = 3;
/** Rounds of the same processes. */
const ROUNDS_OF_A_LIFE = 5;

interface Outcome {
  readonly operations: number;
  readonly cpu: number;
  readonly wall: number;
}

/** Processes that run at the same time. */
class Side {
  readonly name: string;
  readonly #programs: readonly LineProgram[];

  constructor(name: string, jobs: readonly object[], pinned: Pinning) {
    const child = fileURLToPath(new URL('../support/pair-child.mjs', import.meta.url));
    this.name = name;
    this.#programs = jobs.map(
      (job) => new LineProgram(pinned.of([process.execPath, child, JSON.stringify(job)])),
    );
  }

  async #ask(line: string): Promise<string[]> {
    return await Promise.all(this.#programs.map((program) => program.ask(line)));
  }

  async warm(): Promise<void> {
    await this.#ask('warm');
  }

  /** Million operations per CPU-second, and per second of all processes together. */
  async run(operations: number): Promise<{ readonly perCpu: number; readonly perSecond: number }> {
    const outcomes = (await this.#ask(`run ${operations}`)).map(
      (line) => JSON.parse(line) as Outcome,
    );
    const sum = (value: (outcome: Outcome) => number): number =>
      outcomes.reduce((total, outcome) => total + value(outcome), 0);
    return {
      perCpu: sum((one) => one.operations) / sum((one) => one.cpu) / 1e6,
      perSecond: sum((one) => one.operations / one.wall) / 1e6,
    };
  }

  async close(): Promise<void> {
    await this.#ask('check');
    await Promise.all(this.#programs.map((program) => program.close()));
  }
}

export async function twoThreads(
  samples: Samples,
  targets: Targets,
  { quick, rounds }: { readonly quick: boolean; readonly rounds: number | undefined },
): Promise<void> {
  const pinned = pinning(2);
  const count = rounds ?? (quick ? QUICK_ROUNDS : ROUNDS);
  for (const trace of TRACES) {
    const title = `trace ${trace}, ${pinned.words}`;
    for (let begun = 0; begun < count; begun += ROUNDS_OF_A_LIFE) {
      const seed = begun + 1;
      const alone = { trace, pages: LARGE / 2, workers: 1 };
      const sides = [
        new Side(THREADS, [{ trace, pages: LARGE, workers: 2, seed }], pinned),
        new Side(
          PROCESSES,
          [
            { ...alone, seed },
            { ...alone, seed: seed + 1 },
          ],
          pinned,
        ),
      ];
      for (const side of sides) await side.warm();
      for (let round = begun; round < Math.min(count, begun + ROUNDS_OF_A_LIFE); round += 1) {
        for (const side of inTurn(sides, round)) {
          const { perCpu, perSecond } = await side.run(quick ? OPERATIONS / 3 : OPERATIONS);
          samples.add(title, side.name, PER_CPU, 'M/s', perCpu);
          samples.add(title, side.name, PER_SECOND, 'M/s', perSecond);
        }
      }
      for (const side of sides) await side.close();
    }
    for (const metric of [PER_CPU, PER_SECOND]) {
      const values = (side: string): readonly number[] => samples.values(title, side, metric);
      const all = ratios(values(THREADS), values(PROCESSES));
      for (const ratio of all)
        samples.add(title, THREADS, `${metric}, of the processes'`, '', ratio);
      targets.atLeast(
        `trace ${trace}, two threads: ${metric}, of two processes`,
        median(all),
        LEAST,
        'x',
      );
    }
  }
}
