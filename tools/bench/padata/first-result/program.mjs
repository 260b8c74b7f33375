// A program that makes a pool of two threads and wants one result of it: prints milliseconds since the start of the process,
// and of CPU, when it is there.
import { fileURLToPath } from 'node:url';

const THREADS = 2;
const EXACTLY = { minThreads: THREADS, maxThreads: THREADS };
const at = (file) => new URL(file, import.meta.url);
const path = (file) => fileURLToPath(at(file));

const WAYS = {
  async bootmem() {
    const { createWorkPool } = await import('@bootmem/padata');
    const pool = createWorkPool({ threads: THREADS });
    return await pool.run({ module: at('increment.mjs'), name: 'increment' }, 41);
  },
  'bootmem, its import alone': () =>
    import('@bootmem/padata').then(({ createWorkPool }) => createWorkPool && 42),
  async piscina() {
    const { Piscina } = await import('piscina');
    const filename = path('increment.mjs');
    const pool = new Piscina({ filename, name: 'increment', ...EXACTLY });
    return await pool.run(41);
  },
  async tinypool() {
    const { default: Tinypool } = await import('tinypool');
    const filename = at('increment.mjs').href;
    const pool = new Tinypool({ filename, name: 'increment', ...EXACTLY });
    return await pool.run(41);
  },
  async workerpool() {
    const { default: workerpool } = await import('workerpool');
    const threads = { minWorkers: THREADS, maxWorkers: THREADS, workerType: 'thread' };
    return await workerpool.pool(path('workerpool-worker.mjs'), threads).exec('increment', [41]);
  },
  async poolifier() {
    const { FixedThreadPool } = await import('poolifier');
    return await new FixedThreadPool(THREADS, path('poolifier-worker.mjs')).execute(41);
  },
  async 'bare worker_threads'() {
    const { Worker } = await import('node:worker_threads');
    const [first] = Array.from({ length: THREADS }, () => new Worker(at('bare-worker.mjs')));
    return await new Promise((resolve, reject) => {
      first.once('message', resolve).once('error', reject);
      first.postMessage(41);
    });
  },
  'no pool': () => import('./increment.mjs').then(({ increment }) => increment(41)),
};

const result = await WAYS[process.argv[2]]();
const wallMs = performance.now();
const { user, system } = process.cpuUsage();
if (result !== 42) throw new Error(`41 and one are not ${result}`);
process.stdout.write(`${wallMs} ${(user + system) / 1000}\n`, () => process.exit());
