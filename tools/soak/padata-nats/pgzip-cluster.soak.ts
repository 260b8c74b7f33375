/**
 * `npm run soak -- pgzip-cluster`: the pgzip example over several worker processes on this machine, one of which is killed twice while it works (at
 * equal distances of the output). The file has to be byte for byte what the local pool writes; gzip tests it, too.
 */
import { spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createWorkPool } from '@bootmem/padata';
import type { SeriesMaker } from '@bootmem/padata';
import { createNatsPool } from '@bootmem/padata-nats';
import { integer, readOptions } from '../../kit/options.js';
import { writeText } from '../../kit/text.js';
import { pgzip } from '../../../packages/padata/examples/pgzip/pgzip.mjs';
import {
  LocalServer,
  LocalWorkers,
  findNatsServer,
} from '../../../packages/padata-nats/examples/local-cluster.mjs';

const jobs = new URL('../../../packages/padata/examples/pgzip/jobs.mjs', import.meta.url);
/** Silence after which a killed worker's blocks go to another one, in milliseconds. */
const ACK_WAIT_MS = 1000;

const {
  bytes,
  workers: count,
  kills,
} = readOptions(
  { name: 'soak -- pgzip-cluster', about: 'pgzip over worker processes, one of which is killed.' },
  {
    bytes: integer(200_000_000, 'bytes of text, default 200000000', 1),
    workers: integer(3, 'worker processes, default 3', 1),
    kills: integer(2, 'kills of one of them, default 2'),
  },
).values;
if (findNatsServer() === undefined) {
  console.log(
    'SKIPPED: no nats-server here (NATS_SERVER, PATH; Debian: apt-get install nats-server)',
  );
  process.exit();
}

const folder = mkdtempSync(join(tmpdir(), 'pgzip-cluster-'));
const text = join(folder, 'text');
writeText(text, bytes);

/** Compresses the text; calls `onBlock` with the blocks that are done so far. Resolves with the seconds it took. */
async function compress(
  pool: SeriesMaker,
  output: string,
  options: { window: number; module?: string },
  onBlock?: (done: number) => void,
): Promise<number> {
  const start = performance.now();
  const source = createReadStream(text, { highWaterMark: 1 << 20 });
  async function* pieces(): AsyncGenerator<Uint8Array> {
    let done = 0;
    for await (const piece of pgzip(pool, source, { level: 6, ...options })) {
      yield piece;
      onBlock?.((done += 1));
    }
  }
  await pipeline(
    Readable.from(pieces(), { objectMode: false, highWaterMark: 1 << 20 }),
    createWriteStream(output),
  );
  return (performance.now() - start) / 1000;
}

let passed = 0;
let failed = 0;
function check(what: string, isTrue: boolean): void {
  console.log(`  ${isTrue ? 'ok  ' : 'FAIL'} ${what}`);
  if (isTrue) passed += 1;
  else failed += 1;
}

const server = await LocalServer.nats();
const workers = new LocalWorkers(
  count,
  server.url,
  { pgzip: jobs },
  {
    args: ['--ack-wait', String(ACK_WAIT_MS)],
  },
);
try {
  const [local, remote] = [join(folder, 'local.gz'), join(folder, 'cluster.gz')];
  const threads = createWorkPool({ threads: 2, execArgv: [] });
  const localSeconds = await compress(threads, local, { window: 12 });
  await threads.close();
  console.log(`local pool, 2 threads: ${localSeconds.toFixed(2)} s`);

  const pool = await createNatsPool({ servers: server.url });
  await pool.ready('pgzip', { threads: count });
  const blocks = Math.ceil(bytes / (128 * 1024));
  let killed = 0;
  const replacements: Promise<void>[] = [];
  const seconds = await compress(pool, remote, { window: 8 * count, module: 'pgzip' }, (done) => {
    if (killed >= kills || done < ((killed + 1) * blocks) / (kills + 1)) return;
    killed += 1;
    console.log(`  kill ${killed} of worker 0 at block ${done} of ${blocks}`);
    replacements.push(workers.replace(0));
  });
  await Promise.all(replacements);
  await pool.close();
  console.log(
    `${count} worker processes, ${killed} kills: ${seconds.toFixed(2)} s, ${statSync(remote).size} bytes`,
  );
  check(`worker 0 was killed ${kills} times during the run`, killed === kills);
  check('byte-identical to the local result (cmp)', spawnSync('cmp', [local, remote]).status === 0);
  check('gzip -t', spawnSync('gzip', ['-t', remote]).status === 0);
  const back = spawnSync('bash', ['-c', 'gzip -dc "$0" | cmp - "$1"', remote, text]);
  check('decompresses to the input', back.status === 0);
} finally {
  await workers.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
