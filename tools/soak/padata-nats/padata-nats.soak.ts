/**
 * `npm run soak -- padata-nats`: ordered jobs over three worker processes and a real server while everything goes wrong that may:
 *
 *   workers    killed and started again; stopped, or cut off from the server, for longer than it waits for them; their clocks jump by hours
 *   submitter  cut off from the server as long
 *   server     killed and started again; slow, as with a slow disk (it runs a tenth of the time); its disk is full for a while
 *   strangers  take messages and refuse them, publish results twice under new ids, and results, jobs and noise of their own
 *
 * Each of these as often as asked for, in an order by the seed, spread over the jobs: whoever submits waits for a mishap that is due, so that all of them
 * meet jobs that are under way. Every callback has to come exactly once, in order, with the right value; where the disk was full, an error of the
 * server with its code.
 */
import { fileURLToPath } from 'node:url';
import { connect } from '@nats-io/transport-node';
import { jetstream } from '@nats-io/jetstream';
import { createNatsPool } from '@bootmem/padata-nats';
import { integer, readOptions } from '../../kit/options.js';
import { Random } from '../../kit/random.mjs';
import { RunLog } from '../../kit/run-log.js';
import { SmallDisk } from '../../kit/small-disk.mjs';
import { TcpLink } from '../../kit/tcp-link.mjs';
import { BatchType, encodeBatch } from '../../../packages/padata-nats/dist/wire/batch.js';
import { moduleToken } from '../../../packages/padata-nats/dist/wire/names.js';
import { newKey, sealBatch } from '../../../packages/padata-nats/dist/wire/seal.js';
import { encodeValue } from '../../../packages/padata-nats/dist/wire/values.js';
import {
  LocalServer,
  LocalWorkers,
  findNatsServer,
} from '../../../packages/padata-nats/examples/local-cluster.mjs';

const jobsModule = new URL('./jobs.mjs', import.meta.url);
const clockJump = fileURLToPath(new URL('../../kit/clock-jump.mjs', import.meta.url));
const ACK_WAIT_MS = 500;
/** Longer than the server waits for a sign of life. */
const CUT_MS = 3 * ACK_WAIT_MS;
const SLOW_MS = 1000;
const FULL_MS = 2000;
const DISK_BYTES = 2 ** 27;
/** Says where it stands when no job ended for so long, in milliseconds. */
const STALL_MS = 30_000;

const {
  seed,
  jobs: total,
  workers: workerCount,
  window,
  each,
} = readOptions(
  { name: 'soak -- padata-nats', about: 'Ordered jobs over a server while everything goes wrong.' },
  {
    jobs: integer(100_000, 'default 100000', 1),
    seed: integer(1, 'default 1'),
    workers: integer(3, 'worker processes, default 3', 1),
    window: integer(512, 'jobs in flight, default 512', 1),
    each: integer(10, 'times that each thing goes wrong, default 10'),
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
/** What happened besides the mishaps themselves. */
const counts = {
  /** Runs that could not begin while the disk was full. */
  noticed: 0,
  refusals: 0,
  duplicates: 0,
  forgeries: 0,
  mishapErrors: 0,
};
let next = 0;
function violation(text: string): void {
  log.fault(`VIOLATION: ${text}`);
}

function textOf(value: unknown): string {
  return value instanceof Error ? value.message : JSON.stringify(value);
}

const disk = await SmallDisk.make(DISK_BYTES);
if (disk === undefined) console.log('no user namespaces here: the disk is not filled');
const server = await LocalServer.nats(disk);
const ownLink = await TcpLink.to(server.port);
const links = await Promise.all(Array.from({ length: workerCount }, () => TcpLink.to(server.port)));
const workers = new LocalWorkers(
  workerCount,
  links.map(({ url }) => url),
  { soak: jobsModule },
  { args: ['--ack-wait', String(ACK_WAIT_MS)], node: ['--import', clockJump] },
);
const pool = await createNatsPool({ servers: ownLink.url });
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

/** Results, jobs and noise of the stranger's own: as if it did not know the run's key. */
function forge(): void {
  const batch = {
    type: random.pick([BatchType.JOBS, BatchType.RESULTS]),
    first: next + random.below(window),
    micros: 0,
    items: [encodeValue('forged')],
  };
  const data = random.pick([encodeBatch(batch), sealBatch(batch, newKey()), new Uint8Array(9)]);
  const subject =
    batch.type === BatchType.JOBS
      ? `${pool.prefix}.job.${moduleToken('soak')}.${series.runId}`
      : `${pool.prefix}.res.${series.runId}`;
  stranger.publish(subject, data);
  counts.forgeries += 1;
}

async function cut(link: TcpLink): Promise<void> {
  link.cut();
  await sleep(CUT_MS);
  link.heal();
}

/** The server runs a tenth of the time. */
async function slowServer(): Promise<void> {
  const { pid } = server;
  const until = performance.now() + SLOW_MS;
  while (performance.now() < until) {
    process.kill(pid, 'SIGSTOP');
    await sleep(45);
    process.kill(pid, 'SIGCONT');
    await sleep(5);
  }
}

/** The server gives up on its store then, and has to be started again. */
let isFilling = false;
async function fillDisk(): Promise<void> {
  const until = performance.now() + FULL_MS;
  isFilling = true;
  // What the server takes away makes room again.
  disk?.fill();
  // What exists may go on from the server's memory, and is lost with it; a new run cannot be stored.
  const another = pool.series({ fn: { module: 'soak', name: 'step' }, idempotent: true });
  const ended = another.run(1).then(undefined, (error: unknown) => {
    if ((error as { code?: string }).code === 'ERR_PADATA_NATS_SERVER') counts.noticed += 1;
    else violation(`a run on a full disk: ${textOf(error)}`);
  });
  while (performance.now() < until) {
    disk?.fill();
    await sleep(10);
  }
  disk?.free();
  await server.restart(100);
  await ended;
  await another.close();
  isFilling = false;
}

/** What goes wrong, in words for the last line. */
const MISHAPS: Readonly<Record<string, () => Promise<void>>> = {
  kills: () => workers.replace(random.below(workerCount)),
  [`workers silent for ${ACK_WAIT_MS * 1.5} ms`]: async () => {
    const { child } = workers.all[random.below(workerCount)]!;
    child.kill('SIGSTOP');
    await sleep(ACK_WAIT_MS * 1.5);
    child.kill('SIGCONT');
  },
  [`workers cut off for ${CUT_MS} ms`]: () => cut(links[random.below(workerCount)]!),
  [`times the submitter for ${CUT_MS} ms`]: () => cut(ownLink),
  'jumps of clocks': async () => {
    workers.all[random.below(workerCount)]!.child.kill('SIGUSR2');
    for (let times = 0; times < 10; times += 1) forge();
    await stranger.flush();
  },
  'strangers who take and refuse': refuse,
  'times a slow server': slowServer,
  'server restarts': () => server.restart(500),
  ...(disk === undefined ? {} : { 'times a full disk': fillDisk }),
};
const kinds = Object.keys(MISHAPS);
const happened = new Map(kinds.map((kind) => [kind, 0]));
/** Each kind so often, in the seed's order. */
const plan: string[] = [];
for (let time = 0; time < each; time += 1) plan.push(...kinds);
for (let i = plan.length - 1; i > 0; i -= 1) {
  const j = random.below(i + 1);
  [plan[i], plan[j]] = [plan[j]!, plan[i]!];
}
let mishaps = 0;
let wakeSubmitter = (): void => undefined;

/** The job at whose turn this mishap begins. */
const dueAt = (count: number): number => (total * (count + 1)) / (plan.length + 1);

async function trouble(): Promise<void> {
  for (const kind of plan) {
    while (next < dueAt(mishaps)) await sleep(1);
    try {
      await MISHAPS[kind]!();
    } catch {
      // The stranger's request met a server that was away.
      counts.mishapErrors += 1;
    }
    happened.set(kind, happened.get(kind)! + 1);
    mishaps += 1;
    wakeSubmitter();
  }
}

/** Until the mishap before the one that begins at this job is over. */
async function calm(job: number): Promise<void> {
  while (mishaps < plan.length && job >= dueAt(mishaps + 1)) {
    await new Promise<void>((resolve) => {
      wakeSubmitter = resolve;
    });
  }
}

const books = (): string =>
  `${[...happened].map(([kind, count]) => `${count} ${kind}`).join(', ')}; ${JSON.stringify(counts)}`;

/** What a job may end with that could not be stored. */
function isFullDisk(error: unknown): boolean {
  return (
    (happened.get('times a full disk') ?? 0) + Number(isFilling) > 0 &&
    (error as { code?: string } | undefined)?.code === 'ERR_PADATA_NATS_SERVER'
  );
}

let refusedJobs = 0;
const stand = (): void => {
  console.log(
    `at job ${next}, mishap ${mishaps} of ${plan.length} (${plan[mishaps] ?? 'all over'}): ${books()}`,
  );
  console.log(series.stats());
};
process.on('SIGUSR1', stand);
let before = -1;
const watch = setInterval(() => {
  log.tick(books());
  if (next === before) stand();
  before = next;
}, STALL_MS);
watch.unref();
const troubles = trouble();
const seen = new Uint8Array(total);
for (let i = 0; i < total; i += 1) {
  await calm(i);
  const more = series.submit(i, (error, value, seq) => {
    if (seq !== next) violation(`callback of ${seq} at place ${next}`);
    if (isFullDisk(error)) refusedJobs += 1;
    else if (error !== undefined) violation(`job ${seq}: ${textOf(error)}`);
    else if (value !== i * 3 + 1) violation(`job ${seq} gave ${String(value)}`);
    seen[i]! += 1;
    next += 1;
  });
  if (!more) await series.room();
  log.done = next;
}
await series.drain();
await troubles;
clearInterval(watch);
// Whatever comes late may not reach a callback any more.
await sleep(2 * ACK_WAIT_MS);
const once = seen.reduce((sum, times) => sum + (times === 1 ? 1 : 0), 0);
if (once !== total) violation(`${total - once} callbacks not called exactly once`);
const { retried, refused } = series.stats();
await series.close();
copies.unsubscribe();
await stranger.close();
await pool.close();
await workers.stop();
await Promise.all([ownLink, ...links].map((link) => link.close()));
await server.stop();
await disk?.close();

console.log(
  `seed ${seed}: ${total} jobs in ${log.seconds.toFixed(1)} s over ${workerCount} workers, window ${window}: ` +
    `${[...happened].map(([kind, count]) => `${count} ${kind}`).join(', ')} ` +
    `(${counts.noticed} runs could not begin, ${refusedJobs} jobs ended with ERR_PADATA_NATS_SERVER), ` +
    `${counts.refusals} messages refused, ${counts.duplicates} results doubled, ${counts.forgeries} messages forged ` +
    `(${refused} refused as results), ${retried} jobs run again`,
);
for (const [kind, count] of happened) {
  if (count < each) violation(`${count} ${kind}, not ${each}`);
}
log.done = once;
log.finish();
