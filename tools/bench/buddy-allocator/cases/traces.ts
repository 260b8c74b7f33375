/**
 * Allocations and frees per CPU-second on four traces.
 *
 *   a: order 0, random frees at 60 %    b: orders 0..9 at 60 %    c: allocate all, free all at random
 *   d: as a, but swinging between 0 and 60 %, so that every page goes back to the lists again and again
 *   "loop alone": what the loop of trace a costs in each language with nothing behind it
 *
 * Each run is a process of its own; the subjects take turns, so that a busy moment of the machine hits all
 * of them. Large arena: 262144 pages (1 GiB). Small arena: 8192 pages, for npm peers whose `free` searches a
 * list. The C program (native/buddy.c: same lists, no lock, no cache, no checks) is compiled with -O2 when a
 * compiler is there; on trace c there is one more, with all that ours has beside the lists (native/buddy-layout.c).
 * Ratios are medians of the ratios of one round.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { compileC, type NativeProgram } from '../../../kit/native.js';
import { Samples, inTurn, ratios } from '../../../kit/samples.js';
import { quantile } from '../../../kit/statistics.js';
import { printTable } from '../../../kit/table.js';
import {
  C,
  C_STEPS,
  LARGE,
  OURS,
  SMALL,
  TRACES,
  allJobs,
  caseOf,
  caseOfJob,
  isNative,
} from '../jobs.js';
import type { Job } from '../jobs.js';

const PER_CPU = 'operations per CPU-second';
const PER_SECOND = 'operations per second';
/** What is compared with what, on which arena, for every trace that both have. */
const RATIOS = [
  { pages: LARGE, subject: OURS, peer: C },
  { pages: LARGE, subject: C_STEPS, peer: C },
  { pages: LARGE, subject: OURS, peer: C_STEPS },
  { pages: SMALL, subject: OURS, peer: C },
  { pages: LARGE, subject: OURS, peer: 'malloc' },
  { pages: SMALL, subject: OURS, peer: 'malloc' },
  { pages: SMALL, subject: OURS, peer: '@thi.ng/malloc' },
];

/** The compiled programs; undefined where there is no compiler. */
interface Natives {
  readonly plain: NativeProgram;
  readonly steps: NativeProgram;
}

function compileAll(): Natives | undefined {
  const plain = compileC(new URL('../native/buddy.c', import.meta.url));
  const steps = compileC(new URL('../native/buddy-layout.c', import.meta.url));
  return plain && steps && { plain, steps };
}

interface Outcome {
  readonly operations: number;
  readonly cpu: number;
  readonly wall: number;
}

/** What this case is told. */
export interface TraceOptions {
  readonly quick: boolean;
  readonly json: boolean;
  readonly rounds: number | undefined;
  /** Rows whose case and subject have this text. */
  readonly only: string;
}

const child = fileURLToPath(new URL('../support/child.mjs', import.meta.url));
const execute = promisify(execFile);

async function measure(job: Job, seed: number, natives?: Natives): Promise<Outcome> {
  const { trace, pages, operations, length } = job;
  const numbers = [pages, operations, seed, ...(length === undefined ? [] : [length])].map(String);
  const { stdout } = isNative(job)
    ? await execute(natives![job.subject === C_STEPS ? 'steps' : 'plain'].path, [trace, ...numbers])
    : await execute(process.execPath, [child, JSON.stringify({ ...job, seed })]);
  return JSON.parse(stdout) as Outcome;
}

/** All traces, every subject once a round. */
export async function traces({ quick, json, rounds, only }: TraceOptions): Promise<void> {
  const natives = compileAll();
  const jobs = allJobs(quick ? 0.25 : 1)
    .filter((job) => natives !== undefined || !isNative(job))
    .filter((job) => `${caseOfJob(job)} ${job.subject}`.includes(only));
  const samples = new Samples('buddy');
  for (let round = 0; round < (rounds ?? (quick ? 2 : 5)); round += 1) {
    for (const job of inTurn(jobs, round)) {
      const { operations, cpu, wall } = await measure(job, 2 * round + 1, natives);
      samples.add(caseOfJob(job), job.subject, PER_CPU, 'M/s', operations / cpu / 1e6);
      samples.add(caseOfJob(job), job.subject, PER_SECOND, 'M/s', operations / wall / 1e6);
    }
  }
  natives?.plain.remove();
  natives?.steps.remove();
  const compared = ratiosOf(samples);
  if (json) {
    samples.print({ json });
    compared.print({ json });
    return;
  }
  printRows(samples, jobs);
  for (const { case: name, subject, median, min, max } of compared.rows()) {
    const whose = subject === OURS ? '' : ` of ${subject}`;
    console.log(`${name}${whose}: ${digits(median)} [${digits(min)}, ${digits(max)}]`);
  }
  if (natives === undefined) console.log('no C compiler here: the C rows are left out');
}

function ratiosOf(samples: Samples): Samples {
  const compared = new Samples('buddy');
  for (const { pages, subject, peer } of RATIOS) {
    for (const trace of TRACES) {
      const rates = (name: string): readonly number[] =>
        samples.values(caseOf(trace, pages), name, PER_CPU);
      for (const ratio of ratios(rates(subject), rates(peer)))
        compared.add(`${caseOf(trace, pages)}, ratio to ${peer}`, subject, 'ratio', '1', ratio);
    }
  }
  return compared;
}

const digits = (value: number): string => value.toFixed(value < 10 ? 2 : 1);

function printRows(samples: Samples, jobs: readonly Job[]): void {
  const rows = jobs.map((job) => {
    const perCpu = samples.values(caseOfJob(job), job.subject, PER_CPU);
    const perSecond = samples.median(caseOfJob(job), job.subject, PER_SECOND);
    const figures = [quantile(perCpu, 0), quantile(perCpu, 0.5), quantile(perCpu, 1), perSecond];
    return [`${caseOfJob(job)}: ${job.subject}`, ...figures.map(digits)];
  });
  printTable(
    'million operations per CPU-second, and per second of wall time',
    ['', 'min', 'median', 'max', 'wall'],
    rows,
  );
}
