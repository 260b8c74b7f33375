#!/usr/bin/env node
// pgzip-nats [-s URL] [-n WORKERS] [-l LEVEL] [-o OUTPUT] FILE: compresses FILE on all hosts that run
//   padata-nats worker -s URL -m pgzip=…/padata/examples/pgzip/jobs.mjs
// With -n, so many worker processes are started here for the time it takes; without -s as well, a server too.
//
// The pgzip of one machine, with another constructor: createNatsPool in place of createWorkPool.
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createNatsPool } from '@bootmem/padata-nats';
import { pgzip } from '../../../padata/examples/pgzip/pgzip.mjs';
import { LocalServer, LocalWorkers } from '../local-cluster.mjs';

const USAGE = 'usage: pgzip-nats [-s URL] [-n WORKERS] [-l LEVEL] [-o OUTPUT] FILE';
const BLOCKS_PER_THREAD = 8;
const jobs = new URL('../../../padata/examples/pgzip/jobs.mjs', import.meta.url);

function options() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        server: { type: 'string', short: 's' },
        workers: { type: 'string', short: 'n', default: '0' },
        level: { type: 'string', short: 'l', default: '6' },
        output: { type: 'string', short: 'o' },
      },
    });
    const [file, ...rest] = positionals;
    const [workers, level] = [Number(values.workers), Number(values.level)];
    if (file === undefined || rest.length > 0) throw new Error('one file is needed');
    if (!Number.isInteger(workers) || workers < 0) throw new Error('WORKERS is a whole number');
    if (!Number.isInteger(level) || level < 1 || level > 9) throw new Error('LEVEL is 1 to 9');
    if (values.server === undefined && workers === 0) throw new Error('-s or -n is needed');
    return { file, workers, level, server: values.server, output: values.output ?? `${file}.gz` };
  } catch (error) {
    console.error(`pgzip-nats: ${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

const { file, workers, level, server, output } = options();
const started = [];
try {
  let url = server;
  if (url === undefined) {
    const own = await LocalServer.nats();
    started.unshift(own);
    url = own.url;
  }
  if (workers > 0) started.unshift(new LocalWorkers(workers, url, { pgzip: jobs }));

  const pool = await createNatsPool({ servers: url });
  await pool.ready('pgzip', { threads: Math.max(1, workers) });
  const threads = pool.workers().reduce((sum, worker) => sum + worker.threads, 0);
  const source = createReadStream(file, { highWaterMark: 1 << 20 });
  const pieces = pgzip(pool, source, {
    module: 'pgzip',
    window: BLOCKS_PER_THREAD * threads,
    level,
    name: basename(file),
    modified: statSync(file).mtimeMs / 1000,
  });
  await pipeline(
    Readable.from(pieces, { objectMode: false, highWaterMark: 1 << 20 }),
    createWriteStream(output, { flags: 'wx' }),
  );
  await pool.close();
} catch (error) {
  console.error(`pgzip-nats: ${error.message}`);
  process.exitCode = 1;
} finally {
  for (const each of started) await each.stop();
}
