// node main.mjs [--mb N] [--threads N] [--repeat N]: writes a log, then what failed of it into gzip, three times over.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { check, compare, numbers } from '../compare.mjs';
import { writeLog } from './log.mjs';
import * as oneThread from './one-thread.mjs';
import * as padata from './padata.mjs';
import * as piscina from './piscina.mjs';

const { mb, threads, repeat } = numbers({ mb: 4 });
const folder = mkdtempSync(join(tmpdir(), 'ndjson-gzip-'));
try {
  const log = join(folder, 'log.ndjson');
  const failed = await writeLog(log, mb * 1e6);
  const output = (name) => join(folder, `${name}.gz`);
  const subject = (name, { filterLog }) => ({
    file: new URL(`./${name}.mjs`, import.meta.url),
    work: () => filterLog(log, output(name), threads),
  });
  await compare(
    {
      'one-thread': subject('one-thread', oneThread),
      padata: subject('padata', padata),
      piscina: subject('piscina', piscina),
    },
    repeat,
  );

  const expected = readFileSync(output('one-thread'));
  const lines = gunzipSync(expected).toString().trimEnd().split('\n');
  const ids = lines.map((line) => JSON.parse(line).id);
  check(ids.join() === failed.join(), 'each failed request is there once, in order');
  for (const name of ['padata', 'piscina'])
    check(readFileSync(output(name)).equals(expected), `${name} wrote what one thread writes`);
  console.log(
    `${mb} MB, ${threads} threads: ${ids.length} failed requests, in order, thrice the same`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
