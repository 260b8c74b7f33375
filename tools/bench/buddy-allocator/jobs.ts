/** What is run: four traces on two arenas, by ours, the C program and the peers. */

/** Pages: 1 GiB. */
export const LARGE = 262144;
/** For npm peers whose `free` searches a list. */
export const SMALL = 8192;
export const OURS = 'bootmem';
export const C = 'C -O2, no lock, no cache';
/** The package's data and steps in C: what its promises cost, where the language costs nothing. */
export const C_STEPS = 'C -O2, our layout and steps';
const LOOP = 'loop alone';

export type Trace = 'a' | 'b' | 'c' | 'd';
export const TRACES: readonly Trace[] = ['a', 'b', 'c', 'd'];

/** One process: a subject replays a trace. */
export interface Job {
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

/** The case of one worker. */
export const caseOf = (trace: string, pages: number): string =>
  `${trace === 'n' ? 'a' : trace}, ${pages === LARGE ? 'large' : 'small'}`;

/** The case of a job. */
export const caseOfJob = ({ trace, pages, workers }: Job): string =>
  `${caseOf(trace, pages)}${workers > 1 ? `, ${workers} workers` : ''}`;

/** True for jobs of the C program. */
export const isNative = ({ subject, trace }: Job): boolean =>
  subject === C || subject === C_STEPS || trace === 'n';

/**
 * All jobs.
 * @param scale  share of the usual number of operations
 */
export function allJobs(scale: number): Job[] {
  const list: Job[] = [];
  const many = Math.round(24e6 * scale);
  for (const trace of TRACES) {
    const base = { trace, pages: LARGE, operations: trace === 'c' ? many / 3 : many, workers: 1 };
    list.push({ ...base, subject: C });
    list.push({ ...base, subject: OURS });
    list.push({ ...base, subject: 'bootmem, no cache', operations: many / 8 });
    if (trace === 'a') list.push({ ...base, subject: 'bootmem, checked' });
    if (trace === 'c') list.push({ ...base, subject: C_STEPS });
    for (const workers of [2, 4]) list.push({ ...base, subject: OURS, workers });
    if (trace === 'c') list.push({ ...base, subject: 'malloc', operations: 1, limit: 2000 });
    else {
      const operations = Math.round((trace === 'b' ? 300_000 : 600_000) * scale);
      list.push({ ...base, subject: 'malloc', operations, length: 200_000 });
    }
    const small = { trace, pages: SMALL, workers: 1, length: 40_000 };
    list.push({ ...small, subject: C, operations: many });
    list.push({ ...small, subject: OURS, operations: many / 2 });
    list.push({ ...small, subject: 'malloc', operations: Math.round(120_000 * scale) });
    list.push({ ...small, subject: '@thi.ng/malloc', operations: 20_000, length: 10_000 });
  }
  const loop = { trace: 'a', pages: LARGE, operations: many, workers: 1 } as const;
  list.push({ ...loop, trace: 'n', subject: `${LOOP} (C)` });
  list.push({ ...loop, subject: LOOP });
  return list;
}
