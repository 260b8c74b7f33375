/** The pgzip example on worker processes, and the command that comes with it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import { createNatsPool } from '@bootmem/padata-nats';
import { Random } from '../../../tools/kit/random.mjs';
import { pgzip } from '../../padata/examples/pgzip/pgzip.mjs';
import { LocalServer, LocalWorkers } from '../examples/local-cluster.mjs';
import { withServer } from './support/server.js';

const jobs = new URL('../../padata/examples/pgzip/jobs.mjs', import.meta.url);
const cli = fileURLToPath(new URL('../examples/pgzip/cli.mjs', import.meta.url));
const BLOCKS = 36;
const BLOCK_BYTES = 64 * 1024;

/** Repeatable lines that compress neither too well nor too badly. */
function lines(bytes: number): Buffer {
  const random = new Random(12345);
  const parts: string[] = [];
  for (let length = 0; length < bytes;) {
    const state = random.next();
    const line = `block ${state % 977} of ${(state >>> 7).toString(36)} and ${state % 31}\n`;
    parts.push(line);
    length += line.length;
  }
  return Buffer.from(parts.join('').slice(0, bytes), 'latin1');
}

withServer('pgzip over worker processes', () => {
  let server: LocalServer;
  let folder: string;
  const text = lines(BLOCKS * BLOCK_BYTES - 1000);

  beforeAll(async () => {
    server = await LocalServer.nats();
    folder = mkdtempSync(join(tmpdir(), 'pgzip-nats-'));
  });

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('one of three workers killed twice: the bytes are those of the local pool', async () => {
    const local = createWorkPool({ threads: 1 });
    const expected: Uint8Array[] = [];
    for await (const piece of pgzip(local, [text], { blockBytes: BLOCK_BYTES }))
      expected.push(piece.slice());
    await local.close();

    const args = ['--ack-wait', '3000'];
    const workers = new LocalWorkers(3, server.url, { pgzip: jobs }, { args });
    const pool = await createNatsPool({ servers: server.url });
    await pool.ready('pgzip', { threads: 3 });
    const killAt = [BLOCKS / 3, (2 * BLOCKS) / 3];
    const pieces: Uint8Array[] = [];
    const options = { blockBytes: BLOCK_BYTES, window: 9, module: 'pgzip' };
    for await (const piece of pgzip(pool, [text], options)) {
      pieces.push(piece);
      if (killAt.includes(pieces.length)) {
        await workers.replace(0);
        await pool.ready('pgzip', { threads: 3 });
      }
    }
    await pool.close();
    await workers.stop();

    expect(Buffer.concat(pieces).equals(Buffer.concat(expected))).toBe(true);
    expect(gunzipSync(Buffer.concat(pieces)).equals(text)).toBe(true);
  });

  test('the command starts workers for itself, compresses a file and leaves nothing running', () => {
    const file = join(folder, 'lines');
    writeFileSync(file, text);
    const run = spawnSync(process.execPath, [cli, '-s', server.url, '-n', '2', '-l', '1', file], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: '' });
    expect(gunzipSync(readFileSync(`${file}.gz`)).equals(text)).toBe(true);
  });

  test('the command refuses what it does not understand', () => {
    const run = spawnSync(process.execPath, [cli, '-n', '1'], { encoding: 'utf8' });
    expect(run).toMatchObject({ status: 2 });
    expect(run.stderr).toContain('usage: pgzip-nats');
  });
});
