/**
 * `npm run bench -- padata-nats`: jobs of several lengths, computing or (--wait) waiting, inline, on padata's local
 * pool, over NATS and over BullMQ: as many worker processes as the local pool has threads, servers on loopback, all
 * on this machine. Each side runs once a round, in another order each round; medians with [least, greatest]. CPU
 * counts this process, the workers and the server.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchOptions, flag, integer, number, numbers } from '../../kit/options.js';
import { Samples, inTurn } from '../../kit/samples.js';
import { stopwatch } from '../../kit/stopwatch.js';
import { warmUp } from '../../kit/warm-up.mjs';
import {
  LocalServer,
  findNatsServer,
  findProgram,
  freePort,
} from '../../../packages/padata-nats/examples/local-cluster.mjs';
import { blocksPerMs } from './jobs.mjs';
import { bullmq, inline, localPool, natsPool } from './subjects.js';
import type { OpenSubject, Subject } from './subjects.js';
import { printSummary, ratioSamples } from './summary.js';

const OURS = 'padata-nats';

const {
  json,
  quick,
  rounds,
  workers: processes,
  window,
  ms: lengths,
  sample,
  wait,
} = benchOptions(
  'padata-nats',
  'Jobs by length: inline, on the local pool, over NATS, over BullMQ.',
  [],
  {
    rounds: integer(undefined, 'rounds, default 3, with --quick 1', 1),
    workers: integer(2, 'worker processes, and threads of the local pool, default 2', 1),
    window: integer(256, 'jobs in flight, default 256', 1),
    ms: numbers([0, 0.1, 1, 10, 100], 'lengths of the jobs in milliseconds'),
    sample: number(5000, 'milliseconds of each sample, default 5000, with --quick 400'),
    wait: flag('the jobs wait, as for a disk or another service, and need no CPU'),
  },
);
const sampleMs = quick ? 400 : sample;
/** BullMQ fetches jobs one by one as it completes others: more at once in a process hides the way to the server. */
const BULL_CONCURRENCY = wait ? [1, 16, window / processes] : [1, 16];

async function startRedis(): Promise<LocalServer | undefined> {
  const program = findProgram('redis-server', 'REDIS_SERVER');
  if (program === undefined) return undefined;
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'padata-nats-redis-'));
  // Nothing kept on disk: its quickest setting.
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const server = new LocalServer(program, port, folder, args);
  await server.start();
  return server;
}

/** A slice of the warm-up; long beside the way to the server and back, which bounds the rate of a few jobs. */
const SLICE_MS = 250;

/** So many jobs, in whole rounds of the workers: a last one alone would be counted as loss. */
const inRounds = (jobs: number): number => processes * Math.max(2, Math.ceil(jobs / processes));

/** Runs for about `sampleMs` when its rate stands still: jobs a second, and microseconds of CPU a job. */
async function measure(subject: OpenSubject): Promise<{ rate: number; cpu: number }> {
  let count = inRounds(processes);
  let perMs = 0;
  await warmUp(
    async () => {
      const start = performance.now();
      await subject.run(count);
      perMs = count / (performance.now() - start);
      count = inRounds(Math.max(count, perMs * SLICE_MS));
      return perMs;
    },
    { leastMs: 2 * SLICE_MS, mostMs: Math.max(5000, sampleMs) },
  );
  count = inRounds(perMs * sampleMs);
  const before = subject.cpu();
  const times = stopwatch();
  await subject.run(count);
  const { wallMs, cpuMs } = times();
  const cpu = subject.cpu() - before + cpuMs / 1000;
  return { rate: (count / wallMs) * 1000, cpu: (cpu / count) * 1e6 };
}

const nats = findNatsServer() === undefined ? undefined : await LocalServer.nats();
const redis = await startRedis();
if (nats === undefined) console.error('*** SKIPPED: padata-nats, no nats-server here');
if (redis === undefined) console.error('*** SKIPPED: BullMQ, no redis-server here');

const subjects: readonly Subject[] = [
  inline(window),
  localPool(processes, window),
  ...(nats === undefined ? [] : [natsPool(nats, processes, window)]),
  ...(redis === undefined
    ? []
    : [
        ...BULL_CONCURRENCY.map((concurrency) =>
          bullmq(redis, { kind: 'in-process', processes, concurrency }, window),
        ),
        bullmq(redis, { kind: 'sandboxed', processes: 1, concurrency: processes }, window),
      ]),
];
const nameOf = (ms: number): string =>
  ms === 0 ? 'trivial' : `${ms} ms${wait ? ' (waiting)' : ''}`;
const caseOf = (ms: number): string => `${nameOf(ms)} jobs, ${processes} workers, window ${window}`;

const samples = new Samples(OURS);
const blocksPerMillisecond = blocksPerMs();
try {
  for (let round = 0; round < (rounds ?? (quick ? 1 : 3)); round += 1) {
    for (const ms of lengths) {
      if (!json) console.error(`… round ${round + 1}, ${nameOf(ms)}`);
      const length = wait
        ? { blocks: 0, waitMs: ms }
        : { blocks: Math.round(blocksPerMillisecond * ms), waitMs: 0 };
      for (const subject of inTurn(subjects, round)) {
        const open = await subject.open(length);
        try {
          const { rate, cpu } = await measure(open);
          samples.add(caseOf(ms), subject.name, 'rate', 'jobs/s', rate);
          samples.add(caseOf(ms), subject.name, 'CPU', 'us/job', cpu);
        } finally {
          await open.close();
        }
      }
    }
  }
} finally {
  await nats?.stop();
  await redis?.stop();
}

samples.print({ json, ours: OURS });
if (nats !== undefined) {
  const names = subjects.map(({ name }) => name);
  const summary = { samples, ours: OURS, subjects: names, lengths, caseOf, nameOf };
  if (json) ratioSamples(summary).print({ json });
  else printSummary(summary);
}
process.exit();
