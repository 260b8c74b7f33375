/** What a range or a series gives does not tell where it ran: in the submitter, or on a worker. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { inspect } from 'node:util';
import { fileURLToPath } from 'node:url';
import { createNatsPool } from '@bootmem/padata-nats';
import type { NatsPool } from '@bootmem/padata-nats';
import { TestServer, WorkerProcess, withServer } from './support/server.js';

const file = fileURLToPath(new URL('./fixtures/values.mjs', import.meta.url));
/** Both can import it, or workers alone. */
const HERE = `file://${file}`;
const THERE = 'values';
const { GIVEN, REFUSED, THROWN, undone } = (await import(HERE)) as {
  GIVEN: Record<string, unknown>;
  REFUSED: Record<string, unknown>;
  THROWN: Record<string, unknown>;
  undone: unknown[];
};

interface Failed {
  readonly code: string;
  readonly message: string;
  readonly details: unknown;
  readonly cause: unknown;
}

/** All that a program can see of a value; without a stack, which names the process. */
function formOf(value: unknown): unknown {
  const kind = (value as object | undefined)?.constructor.name;
  if (ArrayBuffer.isView(value)) {
    const { byteOffset, byteLength, buffer } = value;
    return {
      kind,
      byteOffset,
      behind: buffer.byteLength,
      bytes: inspect(new Uint8Array(buffer, byteOffset, byteLength)),
    };
  }
  if (value instanceof Map || value instanceof Set) return { kind, of: [...value].map(formOf) };
  if (typeof value !== 'object' || value === null) return inspect(value);
  const keys = Reflect.ownKeys(value).filter((key) => key !== 'stack');
  const parts = keys.map((key) => {
    const known = Object.getOwnPropertyDescriptor(value, key)!;
    return [String(key), known.enumerable, formOf(known.value)];
  });
  const isPlain = Object.getPrototypeOf(value) === Object.prototype || Array.isArray(value);
  return { kind, parts, text: isPlain ? '' : Object.prototype.toString.call(value) };
}

withServer('the same wherever it ran', () => {
  let server: TestServer;
  let pool: NatsPool;
  let worker: WorkerProcess;

  beforeAll(async () => {
    server = await TestServer.start();
    worker = new WorkerProcess(server, ['-m', `${THERE}=${file}`, '-m', `${HERE}=${file}`]);
    pool = await createNatsPool({ servers: server.url });
    await pool.ready(THERE, { threads: 1 });
    await pool.ready(HERE, { threads: 1 });
  });

  afterAll(async () => {
    await pool.close();
    await worker.leave();
    await server.stop();
  });

  /** One chunk, in the submitter or on the worker. */
  async function chunk(module: string, name: string, arg: unknown): Promise<unknown> {
    const isHere = module === HERE;
    const { value, workers } = await pool.runMultithreaded<unknown, unknown>({
      threadFn: { module, name },
      arg,
      start: 0,
      size: 1,
      ...(isHere ? { maxThreads: 1 } : {}),
      reduce: (_none, given: unknown) => given,
    });
    expect(workers.map((part) => part.worker)).toEqual([isHere ? 0 : 1]);
    return value;
  }

  const failure = async (run: Promise<unknown>): Promise<Failed> => {
    const outcome: unknown = await run.then(
      () => 'nothing failed',
      (error: unknown) => error,
    );
    expect(outcome).toBeInstanceOf(Error);
    return outcome as Failed;
  };

  /** The same seen from outside; numbers of jobs and hosts differ. */
  const seen = ({ code, message, details, cause }: Failed): unknown => [
    code,
    message,
    details,
    formOf(cause),
  ];

  /** Two jobs of a window of one: the second is run by the caller. */
  async function second(name: string, input: unknown): Promise<unknown> {
    const options = { fn: { module: HERE, name }, window: 2, onFull: 'inline' } as const;
    const series = pool.series<(input: unknown) => unknown>(options);
    try {
      const [first, last] = await Promise.allSettled([series.run(input), series.run(input)]);
      const [a, b] = [first, last].map((one) => {
        if (one.status === 'fulfilled') return formOf(one.value);
        const { code, cause, details } = one.reason as Failed;
        const { host } = details as { host: string };
        return [code, host, formOf(cause)];
      });
      expect(b).toEqual(a);
      return b;
    } finally {
      await series.close();
    }
  }

  test.each(Object.keys(GIVEN))('what a chunk gives: %s', async (name) => {
    const there = await chunk(THERE, 'give', { name });
    expect(formOf(await chunk(HERE, 'give', { name }))).toEqual(formOf(there));
  });

  test('bytes have nothing else behind them', async () => {
    for (const module of [HERE, THERE]) {
      for (const name of ['bufferInside', 'parts', 'part']) {
        const parts = Object.values((await chunk(module, 'give', { name })) as object).flat();
        for (const part of parts as unknown[]) {
          if (!ArrayBuffer.isView(part)) continue;
          expect(part.buffer.byteLength).toBe(part.byteLength);
        }
      }
    }
  });

  test.each(Object.keys(REFUSED))('what a chunk cannot give: %s', async (name) => {
    const there = await failure(chunk(THERE, 'give', { name }));
    expect(there.code).toBe('ERR_PADATA_CLONE');
    const here = await failure(chunk(HERE, 'give', { name }));
    expect([here.code, here.details]).toEqual([there.code, there.details]);
    for (const { message } of [here, there]) expect(message).toMatch(/could not be cloned/);
  });

  test('what nobody asks for is not sent, and so not refused', async () => {
    for (const module of [HERE, THERE]) {
      const job = { threadFn: { module, name: 'give' }, arg: { name: 'closure' } };
      const { value } = await pool.runMultithreaded({ ...job, start: 0, size: 3 });
      expect(value).toBeUndefined();
    }
  });

  test.each(Object.keys(THROWN))('what a chunk throws: %s', async (name) => {
    const there = await failure(chunk(THERE, 'fail', { name }));
    expect(there.code).toBe('ERR_PADATA_CHUNK_FAILED');
    expect(seen(await failure(chunk(HERE, 'fail', { name })))).toEqual(seen(there));
  });

  test('arg is a copy, and of the same form', async () => {
    const args = [
      { count: 0, bytes: Uint8Array.of(1, 2, 3).subarray(1) },
      { at: Buffer.from('xyz'), list: [new Float32Array(9).subarray(2, 3)], map: new Map() },
      Buffer.from('bytes'),
      new Uint8Array(9).subarray(2, 3),
      undefined,
      7n,
    ];
    for (const arg of args) {
      expect(await chunk(HERE, 'argForm', arg)).toBe(await chunk(THERE, 'argForm', arg));
    }
    const arg = { count: 0, bytes: Uint8Array.of(0) };
    const spread = { start: 0, size: 8, initial: [] as unknown[] };
    const runs = await pool.runMultithreaded<unknown, unknown[]>({
      threadFn: { module: HERE, name: 'write' },
      arg,
      ...spread,
      maxThreads: 1,
      minChunk: 8,
      reduce: (all, given: unknown) => [...all, given],
    });
    expect(runs.value).toEqual([[1, 1]]);
    expect(arg).toEqual({ count: 0, bytes: Uint8Array.of(0) });
  });

  test('arg is what it was when the range was asked for', async () => {
    for (const module of [HERE, THERE]) {
      const arg = { name: 'text' };
      const value = chunk(module, 'give', arg);
      arg.name = 'nothing';
      expect(await value).toBe('ü\ud800');
    }
  });

  test('an arg that cannot leave the process is refused, whoever would have run the chunks', async () => {
    for (const arg of [() => 1, { memory: new SharedArrayBuffer(1) }, Symbol('x')]) {
      for (const module of [HERE, THERE]) {
        const { code } = await failure(chunk(module, 'give', arg));
        expect(code).toBe('ERR_PADATA_CLONE');
      }
    }
  });

  test('undoFn is given what the chunks here were, not the caller’s own', async () => {
    const arg = { count: 0 };
    const run = pool.runMultithreaded({
      threadFn: { module: HERE, name: 'writeThenFail' },
      undoFn: { module: HERE, name: 'undo' },
      arg,
      start: 0,
      size: 64,
      minChunk: 1,
    });
    expect((await failure(run)).code).toBe('ERR_PADATA_CHUNK_FAILED');
    expect(arg).toEqual({ count: 0 });
    for (const given of undone) expect(given).not.toBe(arg);
  });

  test('what reduce throws ends the range', async () => {
    for (const module of [HERE, THERE]) {
      const job = {
        threadFn: { module, name: 'give' },
        arg: { name: 'number' },
        start: 0,
        size: 9,
      };
      const reduce = (): never => {
        throw new Error('no sum');
      };
      await expect(pool.runMultithreaded({ ...job, reduce })).rejects.toThrow('no sum');
    }
  });

  test.each([...Object.keys(GIVEN), ...Object.keys(REFUSED)])(
    'what a job gives, run by a worker and by the caller: %s',
    async (name) => {
      await second('giveJob', name);
    },
  );

  test.each(Object.keys(THROWN))(
    'what a job throws, run by a worker and by the caller: %s',
    async (name) => {
      const outcome = (await second('failJob', name)) as unknown[];
      expect(outcome[0]).toBe('ERR_PADATA_JOB_FAILED');
    },
  );

  test('a job that the caller cannot run is sent', async () => {
    const fn = { module: THERE, name: 'giveJob' };
    const series = pool.series({ fn, window: 1, onFull: 'inline' });
    expect(await series.run('instance')).toEqual({ x: 1 });
    await series.close();
  });
});
