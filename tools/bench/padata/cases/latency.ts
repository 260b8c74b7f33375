/**
 * Time from submission to result of 100 µs jobs at an even pace: half of what the threads can do, and a quarter (two
 * processors also have the submitting thread to run). Beside it what two wake-ups take at the same pace: a sleeping
 * thread has to be woken for the job, the submitting thread for its result; and the same jobs on bare threads, without a pool.
 */
import { inTurn, ratios, type Samples } from '../../../kit/samples.js';
import { best, median, quantile } from '../../../kit/statistics.js';
import type { Targets } from '../../../kit/targets.js';
import { bareThreads } from '../bare.js';
import type { BenchOptions } from '../bench-options.js';
import { spinning, type Load } from '../loads.js';
import { warm } from '../measure.js';
import { latencies, twoWakeUps } from '../pace.js';
import { PEERS, type Subject } from '../peers.js';
import { DEFAULT_WINDOW, bootmem, bootmemRequests } from '../subjects.js';
import { calibrate } from '../threads/tasks.mjs';

const JOB_US = 100;
/** Of the warm-up. */
const IN_FLIGHT = 64;
/** So many times what is measured goes before it. */
const WARM_UPS = 4;
const MOST_OF_BEST_POOL = 0.5;
const WAKE_UPS = [twoWakeUps('message'), twoWakeUps('word')];
const REQUESTS = bootmemRequests('burn');
const BARE_THREADS = bareThreads(Infinity);

/** Median and 99th percentile in microseconds, of a subject that is opened, warmed up and closed. */
export async function latencyOf(
  subject: Subject,
  load: Load,
  perSecond: number,
  options: BenchOptions,
): Promise<{ readonly p50: number; readonly p99: number }> {
  const open = await subject.open(options.threads, load.task);
  const value = valueFor(subject, load);
  await warm(open, value, WAKE_UPS.includes(subject) ? 1 : IN_FLIGHT);
  const total = Math.round((options.sampleMs * perSecond) / 500);
  // What a job at a time needs, going to sleep and waking, many at a time have hardly used: it is compiled meanwhile.
  await latencies(open, value, { total: WARM_UPS * total, perSecond });
  const times = await latencies(open, value, { total, perSecond });
  await open.close();
  return { p50: 1000 * quantile(times, 0.5), p99: 1000 * quantile(times, 0.99) };
}

function valueFor(subject: Subject, load: Load): unknown {
  if (subject === REQUESTS) return (load.shared as { steps: number }).steps;
  return subject.name.startsWith('bootmem') ? load.ours : load.theirs;
}

/** Jobs a second that keep the threads busy for a share of their time. */
export const paceFor = (threads: number, share: number): number =>
  Math.round((threads * share * 1e6) / JOB_US);

export async function latency(
  samples: Samples,
  options: BenchOptions,
  targets: Targets,
): Promise<void> {
  const paces = { half: paceFor(options.threads, 0.5), quarter: paceFor(options.threads, 0.25) };
  const caseOf = (share: string, perSecond: number): string =>
    `latency of ${JOB_US} us jobs at ${share} load (${perSecond} jobs/s)`;
  for (let round = 0; round < options.rounds; round += 1) {
    const load = spinning(JOB_US, calibrate(JOB_US));
    const own = bootmem(load.fn, DEFAULT_WINDOW, load.shared);
    for (const [share, perSecond] of Object.entries(paces)) {
      for (const subject of inTurn([own, REQUESTS, BARE_THREADS, ...WAKE_UPS, ...PEERS], round)) {
        const { p50, p99 } = await latencyOf(subject, load, perSecond, options);
        samples.add(caseOf(share, perSecond), subject.name, 'p50', 'us', p50);
        samples.add(caseOf(share, perSecond), subject.name, 'p99', 'us', p99);
      }
    }
  }
  for (const [share, perSecond] of Object.entries(paces)) {
    const p50 = (subject: Subject | string): readonly number[] => {
      const name = typeof subject === 'string' ? subject : subject.name;
      return samples.values(caseOf(share, perSecond), name, 'p50');
    };
    const wake = Math.min(...WAKE_UPS.map((subject) => median(p50(subject))));
    const bound = JOB_US + wake;
    targets.atMost(
      `p50 at ${share} load: the job and two wake-ups`,
      median(p50('bootmem')),
      bound,
      'us',
    );
    const pool = best(PEERS, (subject) => -median(p50(subject)));
    const ratio = median(ratios(p50('bootmem'), p50(pool)));
    targets.atMost(`p50 at ${share} load: of ${pool.name}`, ratio, MOST_OF_BEST_POOL, 'x');
  }
}
