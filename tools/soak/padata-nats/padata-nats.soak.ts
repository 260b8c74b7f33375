/**
 * `npm run soak -- padata-nats`: ordered jobs over three worker processes and a real server while everything goes wrong that may: workers are
 * killed and started again, stopped for longer than the server waits for them, messages are taken and refused by
 * a stranger, results are published twice under new ids, the server is killed and started again. Every callback
 * has to come exactly once, in order, with the right value.
 */
import { connect } from '@nats-io/transport-node';
import { jetstream } from '@nats-io/jetstream';
import { createNatsPool } from '@bootmem/padata-nats';
import { integer, readOptions } from '../../kit/options.js';
import { Random } from '../../kit/random.mjs';
import { RunLog } from '../../kit/run-log.js';
import { moduleToken } from '../../../packages/padata-nats/dist/wire/names.js';
import {
  LocalServer,
  LocalWorkers,
  findNatsServer,
} from '../../../packages/padata-nats/examples/local-cluster.mjs';

const jobsModule = new URL('./jobs.mjs', import.meta.url);
const ACK_WAIT_MS = 500;
/** Time between two mishaps, in milliseconds: this and as much again at random. */
const PAUSE_MS = 400;

const {
  seed,
  jobs: total,
  workers: workerCount,
  window,
  restarts,
} = readOptions(
  { name: 'soak -- padata-nats', about: 'Ordered jobs over a server while everything goes wrong.' },
  {
    jobs: integer(100_000, 'default 100000', 1),
    seed: integer(1, 'default 1'),
    workers: integer(3, 'worker processes, default 3', 1),
    window: integer(512, 'jobs in flight, default 512', 1),
    restarts: integer(1, 'restarts of the server, default 1'),
  },
).values;
if (findNatsServer() === undefined) {
  console.log(
    'SKIPPED: no nats-server here (NATS_SERVER, PATH; Debian: apt-get install nats-server)',
  );
  process.exit();
}

const random = new Random(seed);
const log = new RunLog('padata-nats', { done: 'jobs', faults: 'violations' });
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const counts = { kills: 0, pauses: 0, refusals: 0, duplicates: 0, restarts: 0, mishapErrors: 0 };
let next = 0;
function violation(text: string): void {
  log.fault(`VIOLATION: ${text}`);
}

function textOf(value: unknown): string {
  return value instanceof Error ? value.message : JSON.stringify(value);
}

const server = await LocalServer.nats();
const workers = new LocalWorkers(
  workerCount,
  server.url,
  { soak: jobsModule },
  {
    args: ['--ack-wait', String(ACK_WAIT_MS)],
  },
);
const pool = await createNatsPool({ servers: server.url });
await pool.ready('soak', { threads: workerCount });
const stranger = await connect({ servers: server.url, maxReconnectAttempts: -1 });
const js = jetstream(stranger);
const series = pool.series<(n: number) => number>({
  fn: { module: 'soak', name: 'step' },
  window,
  idempotent: true,
  retries: 1000,
  workerWaitMs: 60_000,
});
await series.ready();

/** Takes messages as a worker would, and refuses them. */
async function refuse(): Promise<void> {
  const consumer = await js.consumers.get(`${pool.prefix}_JOBS`, `workers-${moduleToken('soak')}`);
  const messages = await consumer.fetch({ max_messages: 1 + random.below(6), expires: 1000 });
  for await (const message of messages) {
    message.nak();
    counts.refusals += 1;
  }
}

/** Publishes results that are there already, under no id: the server cannot know that it has them. */
const copies = stranger.subscribe(`${pool.prefix}.res.${series.runId}`, {
  callback: (_error, message) => {
    if (random.below(50) !== 0 || message.headers === undefined) return;
    counts.duplicates += 1;
    stranger.publish(message.subject, message.data);
  },
});

async function mishap(): Promise<void> {
  const index = random.below(workerCount);
  switch (random.below(4)) {
    case 0:
      await workers.replace(index);
      counts.kills += 1;
      return;
    case 1: {
      const { child } = workers.all[index]!;
      child.kill('SIGSTOP');
      await sleep(ACK_WAIT_MS * 1.5);
      child.kill('SIGCONT');
      counts.pauses += 1;
      return;
    }
    default:
      await refuse();
  }
}

const over = new AbortController();
async function trouble(): Promise<void> {
  for (;;) {
    await sleep(PAUSE_MS + random.below(PAUSE_MS));
    if (over.signal.aborted) return;
    try {
      if (counts.restarts < restarts && next > (total * (counts.restarts + 1)) / (restarts + 1)) {
        await server.restart(500);
        counts.restarts += 1;
      } else await mishap();
    } catch {
      // The stranger's request met a server that was away.
      counts.mishapErrors += 1;
    }
  }
}

const troubles = trouble();
const seen = new Uint8Array(total);
for (let i = 0; i < total; i += 1) {
  const more = series.submit(i, (error, value, seq) => {
    if (seq !== next) violation(`callback of ${seq} at place ${next}`);
    if (error !== undefined) violation(`job ${seq}: ${textOf(error)}`);
    else if (value !== i * 3 + 1) violation(`job ${seq} gave ${String(value)}`);
    seen[i]! += 1;
    next += 1;
  });
  if (!more) await series.room();
  log.done = next;
  log.tick(JSON.stringify(counts));
}
await series.drain();
over.abort();
await troubles;
// Whatever comes late may not reach a callback any more.
await sleep(2 * ACK_WAIT_MS);
const once = seen.reduce((sum, times) => sum + (times === 1 ? 1 : 0), 0);
if (once !== total) violation(`${total - once} callbacks not called exactly once`);
const { retried } = series.stats();
await series.close();
copies.unsubscribe();
await stranger.close();
await pool.close();
await workers.stop();
await server.stop();

console.log(
  `seed ${seed}: ${total} jobs in ${log.seconds.toFixed(1)} s over ${workerCount} workers, window ${window}: ` +
    `${counts.kills} kills, ${counts.pauses} workers silent for ${ACK_WAIT_MS * 1.5} ms, ${counts.restarts} server restarts, ` +
    `${counts.refusals} messages refused, ${counts.duplicates} results doubled, ${retried} jobs run again`,
);
if (counts.restarts < restarts) violation('the server was not restarted as often as asked for');
log.done = once;
log.finish();
