// `npm run bench -- buddy [--json] [--quick] [--only TEXT]`: allocations and frees per CPU-second on four
// traces. `--only` runs the rows whose case and subject contain the text, such as `a, large`.
//
//   a: order 0, random frees at 60 %    b: orders 0..9 at 60 %    c: allocate all, free all at random
//   d: as a, but swinging between 0 and 60 %, so that every page goes back to the lists again and again
//   "loop alone": what the loop of trace a costs in each language with nothing behind it
//
// Each run is a process of its own; the subjects take turns, so that a busy moment of the machine hits all
// of them. Large arena: 262144 pages (1 GiB). Small arena: 8192 pages, for npm peers whose `free` searches a
// list. The C program (native/buddy.c: same lists, no lock, no cache, no checks) is compiled with -O2 when a
// compiler is there. Ratios are medians of the ratios of one round.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const json = process.argv.includes('--json');
const quick = process.argv.includes('--quick');
const onlyAt = process.argv.indexOf('--only');
const only = onlyAt < 0 ? '' : (process.argv[onlyAt + 1] ?? '');
const ROUNDS = quick ? 2 : 5;
const SCALE = quick ? 0.25 : 1;
const LARGE = 262144;
const SMALL = 8192;
const C = 'C -O2, no lock, no cache';
const LOOP = 'loop alone';

type Trace = 'a' | 'b' | 'c' | 'd';
const TRACES: readonly Trace[] = ['a', 'b', 'c', 'd'];

interface Job {
  readonly subject: string;
  readonly trace: Trace | 'n';
  readonly pages: number;
  readonly operations: number;
  readonly workers: number;
  /** Operations of one pass; short for slow peers. */
  readonly length?: number;
  /** Milliseconds after which a pass stops; for peers that would take minutes. */
  readonly limit?: number;
}

interface Outcome {
  readonly operations: number;
  readonly cpu: number;
  readonly wall: number;
}

const child = fileURLToPath(new URL('support/child.mjs', import.meta.url));
const source = fileURLToPath(new URL('native/buddy.c', import.meta.url));
const execute = promisify(execFile);

/** Compiles the C program; undefined where there is no compiler. */
function compile(): { program: string; remove: () => void } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'buddy-bench-'));
  const program = join(folder, 'buddy');
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  for (const compiler of ['cc', 'gcc', 'clang']) {
    try {
      execFileSync(compiler, ['-O2', '-o', program, source], { stdio: 'ignore' });
      return { program, remove };
    } catch {
      // Try the next name.
    }
  }
  remove();
  return undefined;
}

function jobs(withC: boolean): Job[] {
  const list: Job[] = [];
  const many = Math.round(24e6 * SCALE);
  for (const trace of TRACES) {
    const base = { trace, pages: LARGE, operations: trace === 'c' ? many / 3 : many, workers: 1 };
    if (withC) list.push({ ...base, subject: C });
    list.push({ ...base, subject: 'bootmem' });
    list.push({ ...base, subject: 'bootmem, no cache', operations: many / 8 });
    for (const workers of [2, 4]) list.push({ ...base, subject: 'bootmem', workers });
    if (trace === 'c') list.push({ ...base, subject: 'malloc', operations: 1, limit: 2000 });
    else {
      const operations = Math.round((trace === 'b' ? 300_000 : 600_000) * SCALE);
      list.push({ ...base, subject: 'malloc', operations, length: 200_000 });
    }
    const small = { trace, pages: SMALL, workers: 1, length: 40_000 };
    if (withC) list.push({ ...small, subject: C, operations: many });
    list.push({ ...small, subject: 'bootmem', operations: many / 2 });
    list.push({ ...small, subject: 'malloc', operations: Math.round(120_000 * SCALE) });
    list.push({ ...small, subject: '@thi.ng/malloc', operations: 20_000, length: 10_000 });
  }
  const loop = { trace: 'a', pages: LARGE, operations: many, workers: 1 } as const;
  if (withC) list.push({ ...loop, trace: 'n', subject: `${LOOP} (C)` });
  list.push({ ...loop, subject: LOOP });
  return list.filter((job) => `${nameOf(job)} ${job.subject}`.includes(only));
}

const nameOf = (job: Job): string =>
  `${job.trace === 'n' ? 'a' : job.trace}, ${job.pages === LARGE ? 'large' : 'small'}${job.workers > 1 ? `, ${job.workers} workers` : ''}`;

async function measure(job: Job, seed: number, program: string | undefined): Promise<Outcome> {
  if (job.subject === C || job.trace === 'n') {
    const { stdout } = await execute(program!, [
      job.trace,
      String(job.pages),
      String(job.operations),
      String(seed),
      ...(job.length === undefined ? [] : [String(job.length)]),
    ]);
    return JSON.parse(stdout) as Outcome;
  }
  const { stdout } = await execute(process.execPath, [child, JSON.stringify({ ...job, seed })]);
  return JSON.parse(stdout) as Outcome;
}

function spread(values: readonly number[]): { min: number; median: number; max: number } {
  const sorted = [...values].sort((x, y) => x - y);
  return { min: sorted[0]!, median: sorted[sorted.length >> 1]!, max: sorted.at(-1)! };
}

const compiled = compile();
const list = jobs(compiled !== undefined);
const rates = new Map<Job, number[]>();
const walls = new Map<Job, number[]>();
for (let round = 0; round < ROUNDS; round += 1) {
  for (const job of list) {
    const { operations, cpu, wall } = await measure(job, 2 * round + 1, compiled?.program);
    rates.set(job, [...(rates.get(job) ?? []), operations / cpu / 1e6]);
    walls.set(job, [...(walls.get(job) ?? []), operations / wall / 1e6]);
  }
}
compiled?.remove();

const digits = (value: number): string => value.toFixed(value < 10 ? 2 : 1);
if (!json) {
  console.log(
    'million operations per CPU-second (min / median / max) and per second of wall time (median)',
  );
}
for (const job of list) {
  const perCpu = spread(rates.get(job)!);
  const perWall = spread(walls.get(job)!);
  if (json) {
    const base = { bench: 'buddy', case: nameOf(job), subject: job.subject, n: ROUNDS };
    console.log(
      JSON.stringify({ ...base, metric: 'operations per CPU-second', unit: 'M/s', ...perCpu }),
    );
    console.log(
      JSON.stringify({ ...base, metric: 'operations per second', unit: 'M/s', ...perWall }),
    );
  } else {
    const numbers = [perCpu.min, perCpu.median, perCpu.max]
      .map((v) => digits(v).padStart(6))
      .join(' /');
    console.log(
      `${nameOf(job).padEnd(20)} ${job.subject.padEnd(26)} ${numbers}   wall ${digits(perWall.median).padStart(6)}`,
    );
  }
}

/** Ratio of two subjects in one case: median over the rounds. */
function ratio(trace: string, pages: number, subject: string, to: string): number | undefined {
  const find = (name: string): number[] | undefined =>
    rates.get(
      list.find(
        (j) => j.trace === trace && j.pages === pages && j.workers === 1 && j.subject === name,
      )!,
    );
  const [mine, other] = [find(subject), find(to)];
  if (mine === undefined || other === undefined) return undefined;
  return spread(mine.map((rate, i) => rate / other[i]!)).median;
}

const rows: readonly (readonly [string, number, string, string])[] = [
  ...TRACES.map((t) => [t, LARGE, 'bootmem', C] as const),
  ...TRACES.map((t) => [t, SMALL, 'bootmem', C] as const),
  ...TRACES.map((t) => [t, LARGE, 'bootmem', 'malloc'] as const),
  ...TRACES.map((t) => [t, SMALL, 'bootmem', 'malloc'] as const),
  ...TRACES.map((t) => [t, SMALL, 'bootmem', '@thi.ng/malloc'] as const),
];
for (const [trace, pages, subject, to] of rows) {
  const value = ratio(trace, pages, subject, to);
  if (value === undefined) continue;
  if (json) {
    const size = pages === LARGE ? 'large' : 'small';
    const base = { bench: 'buddy', case: `${trace}, ${size}, ratio to ${to}`, subject, n: ROUNDS };
    console.log(
      JSON.stringify({
        ...base,
        metric: 'ratio',
        unit: '1',
        median: value,
        min: value,
        max: value,
      }),
    );
  } else {
    const size = pages === LARGE ? 'large' : 'small';
    console.log(`ratio ${trace}, ${size}: ${subject} to ${to}: ${value.toFixed(2)}`);
  }
}
if (compiled === undefined && !json) console.log('no C compiler here: the C rows are left out');
