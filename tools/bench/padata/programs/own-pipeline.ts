/**
 * This package beside native/pipeline.cpp: a process that keeps its pool and answers each line of its input with a line.
 *
 *   own-pipeline WAY THREADS TOKENS trivial|burn     WAY: run, submit, 'submit with more', or 'bare threads' without a pool
 *     calibrate MICROSECONDS  -> steps of `burn` that take so much CPU of one of the pool's threads
 *     cost STEPS              -> microseconds of CPU that they take
 *     run STEPS MILLISECONDS  -> jobs wall-ms cpu-ms, of jobs of so many steps, TOKENS in flight
 */
import { createInterface } from 'node:readline';
import { stopwatch } from '../../../kit/stopwatch.js';
import { BARE, bareThreads } from '../bare.js';
import { pump } from '../measure.js';
import { jobsModule, openPool, openSeries, type Way } from '../subjects.js';

const [way, threads, tokens, job] = process.argv.slice(2);
const inFlight = Number(tokens);
const pool = await openPool(Number(threads));
const subject =
  way === BARE
    ? await bareThreads(2).open(Number(threads))
    : await openSeries(pool, {
        fn: job === 'trivial' ? 'increment' : 'burn',
        window: inFlight,
        way: way as Way,
      });

/** Runs in a thread of the pool while all others sleep. */
const inThread = (name: string, value: number): Promise<unknown> =>
  pool.run({ module: jobsModule, name }, value);

async function answer(line: string): Promise<string> {
  const [command, first, second] = line.split(' ');
  if (command === 'calibrate') return String(await inThread('calibrate', Number(first)));
  if (command === 'cost') return String(await inThread('costOf', Number(first)));
  const times = stopwatch();
  const jobs = await pump(subject, Number(first), inFlight, Number(second));
  const { wallMs, cpuMs } = times();
  return `${jobs} ${wallMs} ${cpuMs}`;
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${await answer(line)}\n`);
}
process.exit();
