/**
 * `npm run bench -- padata-nats [--rounds N] [--quick] [--workers N] [--window N] [--ms LIST] [--sample MS]
 * [--wait] [--json]`
 *
 * Jobs of several lengths, computing or (--wait) waiting, inline, on padata's local pool, over NATS and over BullMQ: as many worker processes as
 * the local pool has threads, servers on loopback, all on this machine. Each side runs once a round, in another
 * order each round; medians with [lowest, highest]. CPU counts this process, the workers and the server.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Samples, printTables } from '../kit/rows.js';
import {
  LocalServer,
  findNatsServer,
  findProgram,
  freePort,
} from '../../../packages/padata-nats/examples/local-cluster.mjs';
import { reachedFrom } from './break-even.js';
import { blocksPerMs } from './jobs.mjs';
import { bullmq, inline, localPool, natsPool } from './subjects.js';
import type { OpenSubject, Subject } from './subjects.js';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    workers: { type: 'string', default: '2' },
    window: { type: 'string', default: '256' },
    /** Milliseconds of each sample; a quarter of it is run before, to warm up. */
    sample: { type: 'string', default: '5000' },
    ms: { type: 'string', default: '0,0.1,1,10,100' },
    /** The jobs wait, as for a disk or another service, and need no CPU. */
    wait: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const processes = Number(values.workers);
const window = Number(values.window);
const lengths = values.ms.split(',').map(Number);
const sampleMs = values.quick ? 400 : Number(values.sample);
/** BullMQ fetches jobs one by one as it completes others: more at once in a process hides the way to the server. */
const BULL_CONCURRENCY = values.wait ? [1, 16, window / processes] : [1, 16];

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

/** Runs for about `sampleMs`, after a warm-up that tells how many jobs that is. */
async function measure(subject: OpenSubject): Promise<{ rate: number; cpu: number }> {
  let count = 2 * processes;
  // Doubling until a quarter of the sample's time is filled warms up, too.
  for (;;) {
    const began = performance.now();
    await subject.run(count);
    const took = performance.now() - began;
    if (took >= sampleMs / 4) {
      count = Math.max(2 * processes, Math.ceil((count * sampleMs) / took));
      break;
    }
    count *= Math.max(2, Math.min(16, Math.ceil(sampleMs / 3 / Math.max(took, 0.1))));
  }
  // Whole rounds of the workers: a last one alone would be counted as loss.
  count = Math.ceil(count / processes) * processes;
  const before = subject.cpu();
  const own = process.cpuUsage();
  const start = performance.now();
  await subject.run(count);
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(own);
  const cpu = subject.cpu() - before + (used.user + used.system) / 1e6;
  return { rate: count / seconds, cpu: (cpu / count) * 1e6 };
}

const nats = findNatsServer() === undefined ? undefined : await LocalServer.nats();
const redis = await startRedis();
if (nats === undefined) console.error('*** SKIPPED: padata-nats, no nats-server here');
if (redis === undefined) console.error('*** SKIPPED: BullMQ, no redis-server here');

const ours = 'padata-nats';
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
  ms === 0 ? 'trivial' : `${ms} ms${values.wait ? ' (waiting)' : ''}`;
const caseOf = (ms: number): string => `${nameOf(ms)} jobs, ${processes} workers, window ${window}`;

const samples = new Samples('padata-nats');
const measured: { round: number; ms: number; subject: string; rate: number; cpu: number }[] = [];
const perMs = blocksPerMs();
try {
  for (let round = 0; round < rounds; round += 1) {
    for (const ms of lengths) {
      if (!values.json) console.error(`… round ${round + 1}, ${nameOf(ms)}`);
      for (let step = 0; step < subjects.length; step += 1) {
        const subject = subjects[(step + round) % subjects.length]!;
        const open = await subject.open(
          values.wait ? { blocks: 0, waitMs: ms } : { blocks: Math.round(perMs * ms), waitMs: 0 },
        );
        try {
          const { rate, cpu } = await measure(open);
          samples.add(caseOf(ms), subject.name, 'rate', 'jobs/s', rate);
          samples.add(caseOf(ms), subject.name, 'CPU', 'us/job', cpu);
          measured.push({ round, ms, subject: subject.name, rate, cpu });
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

if (values.json) for (const row of samples.rows()) console.log(JSON.stringify(row));
else {
  printTables(samples.rows(), ours);
  if (nats !== undefined) summary();
}
process.exit();

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN;
}

/** Our rate (or CPU) against the best of the others in the same round; median, lowest and highest over rounds. */
function against(
  ms: number,
  isIt: (subject: string) => boolean,
  figure: 'rate' | 'cpu',
): readonly [number, number, number] {
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const here = measured.filter((one) => one.round === round && one.ms === ms);
    const own = here.find(({ subject }) => subject === ours);
    const others = here.filter(({ subject }) => isIt(subject)).map((one) => one[figure]);
    if (own === undefined || others.length === 0) continue;
    ratios.push(figure === 'rate' ? own.rate / Math.max(...others) : Math.min(...others) / own.cpu);
  }
  return [median(ratios), Math.min(...ratios), Math.max(...ratios)];
}

/** Efficiency, ratios, and the length from which distribution pays. */
function summary(): void {
  const isLocal = (subject: string): boolean => subject.startsWith('padata, local');
  const isBull = (subject: string): boolean => subject.startsWith('BullMQ');
  const isInline = (subject: string): boolean => subject === 'inline';
  const percent = ([middle, low, high]: readonly [number, number, number]): string =>
    `${(100 * middle).toFixed(1)} % [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;
  const times = ([middle, low, high]: readonly [number, number, number]): string =>
    `${middle.toFixed(2)}x [${low.toFixed(2)}, ${high.toFixed(2)}]`;
  console.log(`\n${ours} by job length, ratios within each round: median [lowest, highest]`);
  const [byRate, byCpu, speedup]: { ms: number; value: number }[][] = [[], [], []];
  for (const ms of lengths) {
    const local = against(ms, isLocal, 'rate');
    const cpu = against(ms, isLocal, 'cpu');
    const inlined = against(ms, isInline, 'rate');
    if (ms > 0) {
      byRate!.push({ ms, value: local[0] });
      byCpu!.push({ ms, value: cpu[0] });
      speedup!.push({ ms, value: inlined[0] });
    }
    console.log(`  ${nameOf(ms)}`);
    console.log(`    of the local pool: ${percent(local)} by rate, ${percent(cpu)} by CPU a job`);
    console.log(`    of inline: ${times(inlined)}`);
    if (redis !== undefined) {
      const [rate, used] = [against(ms, isBull, 'rate'), against(ms, isBull, 'cpu')];
      console.log(`    of the best BullMQ: ${times(rate)} by rate, ${times(used)} by CPU a job`);
    }
  }
  const from = (ms: number | undefined): string =>
    ms === undefined ? 'not reached' : `${ms < 1 ? ms.toFixed(2) : ms.toFixed(1)} ms`;
  const both = (limit: number): string =>
    `${from(reachedFrom(byRate!, limit))} by rate, ${from(reachedFrom(byCpu!, limit))} by CPU`;
  console.log(`\nthe job length from which`);
  console.log(`  workers beat the calling thread alone: ${from(reachedFrom(speedup!, 1))}`);
  console.log(`  two such hosts beat one local pool (50 % of it each): ${both(0.5)}`);
  console.log(`  85 % of the local pool are reached: ${both(0.85)}`);
}
