import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { WorkPool } from '@bootmem/padata';
import { createPadata, formatMask, parseMask, serialWorkerFor } from '@bootmem/padata/kernel';
import type { PadataShell } from '@bootmem/padata/kernel';
import { completeDeferred } from '@bootmem/padata/worker';
import type { DeferredJob } from '@bootmem/padata/worker';
import { STATE_MASK, SlotState, deferredState } from '../dist/protocol/ring-layout.js';

const module = new URL('./fixtures/series-jobs.mjs', import.meta.url);
type Any = (input: unknown) => unknown;
const parallel = (name: string) => ({ module, name });
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const turn = () => new Promise((resolve) => setImmediate(resolve));
let pool: WorkPool;

beforeAll(async () => {
  pool = createWorkPool({ threads: 3, works: 64, capacity: 8 });
  await pool.ready();
});
afterAll(() => pool.close());

/** Keeps the only thread of a pool busy until the function that it resolves with is called. */
async function occupy(busy: WorkPool): Promise<() => Promise<void>> {
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const series = busy.series<Any>({ fn: parallel('untilShared'), shared: gate });
  const job = series.run(0);
  while (Atomics.load(gate, 1) === 0) await turn();
  return async () => {
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    await job;
    await series.close();
  };
}

interface Delivery {
  seq: number;
  worker: number;
  result: unknown;
  error: unknown;
}
function submitAll(
  shell: PadataShell<Any>,
  inputs: unknown[],
  worker: (i: number) => number = () => 0,
): Delivery[] {
  const log: Delivery[] = [];
  inputs.forEach((input, i) => {
    shell.submit({
      input,
      serialWorker: worker(i),
      serial(error, result, info) {
        log.push({ seq: info.seq, worker: info.serialWorker, result, error });
      },
    });
  });
  return log;
}

test('the callback worker fallback: vectors', () => {
  expect(serialWorkerFor(5, [1, 4, 6])).toBe(6);
  expect(serialWorkerFor(3, [1, 4, 6])).toBe(1);
  expect(serialWorkerFor(4, [1, 4, 6])).toBe(4);
  expect(serialWorkerFor(-1, [1, 4, 6])).toBe(1); // 4294967295 mod 3 = 0
  expect(serialWorkerFor(0, [])).toBeUndefined();
});

test('masks as text: comma-grouped hexadecimal words', () => {
  expect(formatMask([0, 1, 2, 3], 8)).toBe('0f');
  expect(formatMask([0, 35], 40)).toBe('08,00000001');
  expect(parseMask('08,00000001\n')).toEqual([0, 35]);
  expect(parseMask('f')).toEqual([0, 1, 2, 3]);
  for (const bad of ['', 'g', '1,', '123456789', '1 2']) {
    expect(() => parseMask(bad)).toThrow(expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }));
  }
});

test('serial callbacks run in order of submission per shell and serial worker', async () => {
  const instance = createPadata(pool);
  const shell = instance.createShell<Any>({ parallel: parallel('slow'), window: 16 });
  const log = submitAll(
    shell,
    range(60).map((i) => (i * 7) % 4),
    (i) => i % 3,
  );
  await shell.drain();
  expect(log.length).toBe(60);
  for (const worker of [0, 1, 2]) {
    const seqs = log.filter((d) => d.worker === worker).map((d) => d.seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(seqs.length).toBe(20);
  }
  instance.close();
});

test('one serial worker never overlaps, even across shells; two do', async () => {
  const instance = createPadata(pool);
  const shells = [0, 1].map(() => instance.createShell<Any>({ parallel: parallel('same') }));
  let running = 0;
  let most = 0;
  const workerRunning = [0, 0, 0];
  let allBegun = (): void => undefined;
  const three = new Promise<void>((resolve) => (allBegun = resolve));
  const done: Promise<void>[] = [];
  for (let i = 0; i < 24; i += 1) {
    done.push(
      new Promise((resolve) => {
        shells[i % 2]!.submit({
          input: i,
          serialWorker: i % 3,
          async serial(_error, _result, info) {
            running += 1;
            workerRunning[info.serialWorker]! += 1;
            expect(workerRunning[info.serialWorker]).toBe(1);
            most = Math.max(most, running);
            // Nobody ends before one callback of each serial worker has begun.
            if (running === 3) allBegun();
            await three;
            workerRunning[info.serialWorker]! -= 1;
            running -= 1;
            resolve();
          },
        });
      }),
    );
  }
  await Promise.all(done);
  expect(most).toBe(3);
  instance.close();
});

test('submit writes the fallback back, also when it then says busy', async () => {
  const instance = createPadata(pool, { serialWorkers: [1, 3] });
  const shell = instance.createShell<Any>({ parallel: parallel('same') });
  const job = { input: 1, serialWorker: 2, serial: () => undefined };
  shell.submit(job);
  expect(job.serialWorker).toBe(1);
  const change = instance.setWorkers('parallel', [1]);
  const late = { input: 1, serialWorker: 5, serial: () => undefined };
  expect(() => {
    shell.submit(late);
  }).toThrow(expect.objectContaining({ code: 'ERR_PADATA_BUSY' }));
  expect(late.serialWorker).toBe(3);
  instance.stop();
  expect(() => {
    shell.submit(late);
  }).toThrow(expect.objectContaining({ code: 'ERR_PADATA_INVALID' }));
  await change;
  instance.close();
});

test('a refused job consumes neither a reference nor a sequence number', async () => {
  const instance = createPadata(pool);
  const shell = instance.createShell<Any>({ parallel: parallel('same') });
  instance.stop();
  for (let i = 0; i < 3; i += 1) expect(() => submitAll(shell, [1])).toThrow();
  expect(shell.references).toBe(1);
  instance.start();
  const log = submitAll(shell, [1, 2]);
  await shell.drain();
  expect(log.map((d) => d.seq)).toEqual([0, 1]);
  instance.close();
});

test('a mask without a worker is stored and stops; a valid one starts again', async () => {
  const instance = createPadata(pool);
  const shell = instance.createShell<Any>({ parallel: parallel('same') });
  await instance.setWorkers('parallel', [7]);
  expect(instance.state).toEqual({ started: false, resetting: false, invalid: true });
  expect(instance.workers('parallel')).toEqual([7]);
  expect(() => submitAll(shell, [1])).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_INVALID' }),
  );
  expect(() => {
    instance.start();
  }).toThrow(expect.objectContaining({ code: 'ERR_PADATA_INVALID' }));
  await instance.setWorkers('parallel', [7, 2]);
  expect(instance.state.started).toBe(true);
  const log = submitAll(shell, [1]);
  await shell.drain();
  expect(log[0]).toMatchObject({ result: 1, error: undefined });
  await expect(instance.setWorkers('serial', [99])).rejects.toMatchObject({
    code: 'ERR_PADATA_ARGUMENT',
  });
  instance.close();
});

test('a mask change with jobs in flight: they keep their generation, new ones start at 0', async () => {
  const instance = createPadata(pool);
  const shell = instance.createShell<Any>({ parallel: parallel('untilOpen'), window: 32 });
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const jobs = range(10).map(() => gate);
  const old = submitAll(shell, jobs);
  await instance.setWorkers('parallel', [2]);
  expect(shell.generations).toBe(2);
  expect(shell.references).toBe(1);
  const fresh = submitAll(shell, jobs);
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  await shell.drain();
  expect(old.map((d) => d.seq)).toEqual(range(10));
  expect(fresh.map((d) => d.seq)).toEqual(range(10));
  expect(shell.generations).toBe(1);
  expect(instance.freedGenerations).toBe(1);
  instance.close();
  expect(instance.freedGenerations).toBe(2);
});

test('parallel functions run only on workers of the parallel mask', async () => {
  const instance = createPadata(pool, { parallelWorkers: [2] });
  const shell = instance.createShell<Any>({ parallel: parallel('shift') });
  const log = submitAll(
    shell,
    range(30).map(() => new Uint8Array(3)),
  );
  await shell.drain();
  expect(new Set(log.map((d) => (d.result as Uint8Array)[3]))).toEqual(new Set([2]));
  instance.close();
});

test('stop does not wait, and jobs under way are serialised', async () => {
  const instance = createPadata(pool);
  const shell = instance.createShell<Any>({ parallel: parallel('slow') });
  const log = submitAll(shell, [20, 1, 1]);
  instance.stop();
  expect(log.length).toBe(0);
  await shell.drain();
  expect(log.map((d) => d.seq)).toEqual([0, 1, 2]);
  instance.close();
});

test('the shell may be dropped within and right after its last serial callback', async () => {
  const instance = createPadata(pool);
  const shell = instance.createShell<Any>({ parallel: parallel('same') });
  await new Promise<void>((resolve) => {
    shell.submit({
      input: 1,
      serial() {
        shell.close();
        expect(instance.freedGenerations).toBe(0); // the job still holds its reference
        resolve();
      },
    });
  });
  await turn();
  expect(instance.freedGenerations).toBe(1);
  shell.close();
  expect(instance.freedGenerations).toBe(1);
  expect(() => submitAll(shell, [1])).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_CLOSED' }),
  );
  instance.close();
});

test('works: exhausted stock runs the job in the caller; order kept; works come back at once', async () => {
  await using small = createWorkPool({ threads: 1, works: 2 });
  await small.ready();
  const instance = createPadata(small);
  const shell = instance.createShell<Any>({ parallel: parallel('shift'), window: 32 });
  await shell.ready();
  const open = await occupy(small);
  const log = submitAll(
    shell,
    range(20).map(() => new Uint8Array(500)),
  );
  await open();
  await shell.drain();
  expect(log.map((d) => d.seq)).toEqual(range(20));
  // Two have a work and wait for the thread; all others are run by the caller.
  const workers = log.map((d) => (d.result as Uint8Array)[500]);
  expect(workers).toEqual([1, 1, ...new Array<number>(18).fill(0)]);
  await turn();
  expect(small.stats().freeWorks).toBe(2);
  instance.close();
});

test('a stock of none: jobs run in the caller, re-entrant submission included', async () => {
  await using none = createWorkPool({ threads: 1, works: 0 });
  const instance = createPadata(none);
  const shell = instance.createShell<Any>({ parallel: parallel('shift') });
  await shell.ready();
  const open = await occupy(none);
  const order: number[] = [];
  let inCaller = 0;
  await new Promise<void>((resolve) => {
    const submit = (left: number): void => {
      shell.submit({
        input: new Uint8Array(1),
        serial(_error, result, info) {
          if ((result as Uint8Array)[1] === 0) inCaller += 1;
          order.push(info.seq);
          if (left > 0) submit(left - 1);
          else resolve();
        },
      });
    };
    submit(20);
  });
  await open();
  expect(order).toEqual(range(21));
  expect(inCaller).toBe(21);
  instance.close();
});

test('shells are isolated: a job that is never completed stalls only its own', async () => {
  const instance = createPadata(pool);
  const reports: string[] = [];
  const stuck = instance.createShell<Any>({
    parallel: parallel('deferred'),
    watchdogMs: 10,
    onStall: (r) => reports.push(r.state),
  });
  const other = instance.createShell<Any>({ parallel: parallel('same') });
  const handles: unknown[] = [];
  const log = submitAll(stuck, [1, 2]);
  const fine = submitAll(other, range(50));
  await other.drain();
  expect(fine.length).toBe(50);
  expect(log.length).toBe(0);
  // Before its function has run it is reported as waiting.
  while (reports.at(-1) !== 'deferred') await turn();
  expect(handles).toEqual([]);
  instance.close();
});

test('a deferred job is completed from another thread, in order, and only once', async () => {
  await using one = createWorkPool({ threads: 1 });
  await using s = one.series<Any>({ fn: { module, name: 'deferToShared' }, window: 8 });
  const box = new SharedArrayBuffer(4096);
  const { port1, port2 } = new MessageChannel();
  const got = new Promise<DeferredJob[]>((resolve) => {
    const list: DeferredJob[] = [];
    port1.on('message', (job: DeferredJob) => {
      list.push(job);
      if (list.length === 3) resolve(list);
    });
  });
  const order: unknown[] = [];
  const jobs = [0, 1, 2].map((i) =>
    s
      .run({ i, port: i === 0 ? port2 : undefined, box }, i === 0 ? { transfer: [port2] } : {})
      .then((v) => order.push(v)),
  );
  const handles = await got;
  for (const job of handles.reverse()) completeDeferred(job, `done ${job.seq}`);
  await Promise.all(jobs);
  expect(order).toEqual(['done 0', 'done 1', 'done 2']);
  expect(() => {
    completeDeferred(handles[0]!, 1);
  }).toThrow(expect.objectContaining({ code: 'ERR_PADATA_DOUBLE_COMPLETE' }));
  port1.close();
});

test('completing with a value that cannot be read is refused, and the job still waits', async () => {
  await using one = createWorkPool({ threads: 1 });
  await using s = one.series<Any>({ fn: { module, name: 'deferToShared' } });
  const { port1, port2 } = new MessageChannel();
  const got = new Promise<DeferredJob>((resolve) => port1.on('message', resolve));
  const job = s.run({ port: port2 }, { transfer: [port2] });
  const handle = await got;
  const why = new Error('not now');
  const bites = (): never => {
    throw why;
  };
  const values = [
    Object.defineProperty({}, 'x', { get: bites, enumerable: true }),
    new Proxy({}, { ownKeys: bites, getPrototypeOf: bites }),
  ];
  for (const value of values) {
    expect(() => {
      completeDeferred(handle, value);
    }).toThrow(expect.objectContaining({ code: 'ERR_PADATA_CLONE' }));
  }
  // What reads the value may complete the job: it is not claimed yet.
  const nested = {
    get inner() {
      completeDeferred(handle, 'inner');
      return 1;
    },
  };
  expect(() => {
    completeDeferred(handle, nested);
  }).toThrow(expect.objectContaining({ code: 'ERR_PADATA_DOUBLE_COMPLETE' }));
  expect(await job).toBe('inner');
  port1.close();
});

test("an old handle does not complete the next job of its slot, not even where only the slot's state is looked at", async () => {
  await using one = createWorkPool({ threads: 1 });
  await using s = one.series<Any>({ fn: { module, name: 'deferToShared' }, window: 2 });
  const { port1, port2 } = new MessageChannel();
  const handles: DeferredJob[] = [];
  port1.on('message', (job: DeferredJob) => handles.push(job));
  const handle = async (i: number): Promise<DeferredJob> => {
    while (handles.length <= i) await new Promise((r) => setImmediate(r));
    return handles[i]!;
  };
  const first = s.run({ port: port2 }, { transfer: [port2] });
  completeDeferred(await handle(0), 'first');
  await expect(first).resolves.toBe('first');
  const others = [s.run({}), s.run({})];
  const [second, third] = [await handle(1), await handle(2)];
  const old = handles[0]!;
  expect(third.seq & (third.window - 1)).toBe(old.seq & (old.window - 1));
  expect(deferredState(old.window, old.seq)).not.toBe(deferredState(third.window, third.seq));
  expect(() => {
    completeDeferred(old, 'wrong');
  }).toThrow(expect.objectContaining({ code: 'ERR_PADATA_DOUBLE_COMPLETE' }));
  completeDeferred(third, 'third');
  completeDeferred(second, 'second');
  await expect(Promise.all(others)).resolves.toEqual(['second', 'third']);
  port1.close();
});

test('the laps of a slot differ across the wrap of sequence numbers, and leave the state readable', () => {
  for (const window of [1, 2, 64, 65_536]) {
    const laps = [-2, -1, 0, 1].map((lap) => deferredState(window, (lap * window) >>> 0));
    expect(new Set(laps).size).toBe(laps.length);
    for (const state of laps) {
      expect(state).toBeGreaterThanOrEqual(0);
      expect(state & STATE_MASK).toBe(SlotState.DEFERRED);
    }
  }
});

test.each([1, 3, 5, 6, 7])('sequence wrap with %i workers', async (workers) => {
  const instance = createPadata(pool, { parallelWorkers: range(workers + 1) });
  const shell = instance.createShell<Any>({
    parallel: parallel('slow'),
    window: 8,
    firstSequence: 0xffff_fff8,
  });
  const log = submitAll(
    shell,
    range(40).map((i) => i % 3),
    (i) => i % 2,
  );
  await shell.drain();
  for (const worker of [0, 1]) {
    const seqs = log.filter((d) => d.worker === worker).map((d) => (d.seq - 0xffff_fff8) >>> 0);
    expect(seqs).toEqual(range(20).map((i) => 2 * i + worker));
  }
  instance.close();
});

test('workers leaving and joining under a storm of jobs: none is lost or doubled', async () => {
  await using p = createWorkPool({ threads: 3, works: 64, capacity: 4 });
  const instance = createPadata(p);
  const shell = instance.createShell<Any>({ parallel: parallel('same'), window: 16 });
  const seen = new Map<number, number>();
  let refused = 0;
  let accepted = 0;
  for (let round = 0; round < 40; round += 1) {
    p.resize(1 + (round % 4));
    for (let i = 0; i < 10; i += 1) {
      const id = round * 10 + i;
      try {
        shell.submit({
          input: id,
          serial: (_error, result) =>
            seen.set(result as number, (seen.get(result as number) ?? 0) + 1),
        });
        accepted += 1;
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_PADATA_BUSY' });
        refused += 1;
      }
      if (i % 3 === 0) await turn();
    }
  }
  await shell.drain();
  expect(seen.size).toBe(accepted);
  expect([...seen.values()].every((n) => n === 1)).toBe(true);
  expect(accepted + refused).toBe(400);
  instance.close();
});

test('a serial worker that leaves: its jobs still get their callback', async () => {
  await using p = createWorkPool({ threads: 3, capacity: 4, works: 8 });
  const instance = createPadata(p);
  const shell = instance.createShell<Any>({ parallel: parallel('slow') });
  const log = submitAll(shell, [20, 20, 20], () => 3);
  p.resize(1);
  await shell.drain();
  expect(log.map((d) => d.worker)).toEqual([3, 3, 3]);
  await turn();
  const next = submitAll(shell, [0], () => 3);
  await shell.drain();
  expect(next[0]?.worker).toBe(1); // 3 mod 2 of {0, 1}
  expect(instance.workers('serial')).toContain(3);
  instance.close();
});

test('the last worker of a mask leaves: stopped; it comes back: started', async () => {
  await using p = createWorkPool({ threads: 2, capacity: 4 });
  const instance = createPadata(p, { parallelWorkers: [2] });
  p.resize(1);
  expect(instance.state).toMatchObject({ started: false, invalid: true });
  p.resize(2);
  await turn();
  await turn();
  expect(instance.state).toMatchObject({ started: true, invalid: false });
  expect(instance.effectiveWorkers('parallel')).toEqual([2]);
  instance.close();
});

test('failure to make a generation: the shells reached keep the new one, the rest the old', async () => {
  const instance = createPadata(pool);
  const shells = range(3).map(() => instance.createShell<Any>({ parallel: parallel('same') }));
  const seriesFrom = pool.seriesFrom.bind(pool);
  let calls = 0;
  pool.seriesFrom = function <F>(this: WorkPool, ...args: Parameters<typeof seriesFrom<F>>) {
    calls += 1;
    if (calls === 2) throw new RangeError('no memory');
    return seriesFrom(...(args as [never, number])) as never;
  };
  try {
    await expect(instance.setWorkers('parallel', [1, 2])).rejects.toThrow('no memory');
  } finally {
    // The method of the class is visible again.
    delete (pool as { seriesFrom?: unknown }).seriesFrom;
  }
  expect(instance.state).toMatchObject({ resetting: false, invalid: false });
  expect(instance.workers('parallel')).toEqual([1, 2]);
  expect(instance.freedGenerations).toBe(1);
  const logs = shells.map((shell) => submitAll(shell, [5]));
  await Promise.all(shells.map((shell) => shell.drain()));
  expect(logs.map((log) => log[0]?.result)).toEqual([5, 5, 5]);
  instance.close();
});

test('setting a mask on an instance without shells succeeds', async () => {
  const instance = createPadata(pool);
  await expect(instance.setWorkers('serial', [0])).resolves.toBeUndefined();
  expect(instance.effectiveWorkers('serial')).toEqual([0]);
  instance.close();
  expect(() => instance.createShell({ parallel: parallel('same') })).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_CLOSED' }),
  );
});

test('a job of one shell may wait for a job of another (nesting)', async () => {
  const instance = createPadata(pool);
  const outer = instance.createShell<Any>({ parallel: parallel('same') });
  const inner = instance.createShell<Any>({ parallel: parallel('same') });
  const result = await new Promise((resolve) => {
    outer.submit({
      input: 1,
      serialWorker: 0,
      serial: () =>
        new Promise<void>((done) => {
          inner.submit({
            input: 2,
            serialWorker: 1,
            serial: (_error, value) => {
              resolve(value);
              done();
            },
          });
        }),
    });
  });
  expect(result).toBe(2);
  instance.close();
});

test('range jobs and shells share the stock of works', async () => {
  await using p = createWorkPool({ threads: 2, works: 2 });
  await p.ready();
  const instance = createPadata(p);
  const shell = instance.createShell<Any>({ parallel: parallel('untilOpen') });
  const gate = new Int32Array(new SharedArrayBuffer(8));
  submitAll(shell, [gate]); // holds its work until the range is done
  const ranges = new URL('./fixtures/range-jobs.mjs', import.meta.url);
  const log = new SharedArrayBuffer(4 * 256);
  const result = await p.runMultithreaded({
    threadFn: { module: ranges, name: 'record' },
    arg: { log },
    start: 0,
    size: 100,
    maxThreads: 8,
  });
  expect(result).toMatchObject({ planned: 8, got: 2 });
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  await shell.drain();
  expect(p.stats().freeWorks).toBe(2);
  instance.close();
});

test('a serial half that runs later than its delivery gets its own bytes, also of a series of views', async () => {
  const padata = createPadata(pool);
  padata.start();
  const shell = padata.createShell<Any>({ parallel: parallel('same'), window: 1, bytes: 'view' });
  let open!: () => void;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const seen: unknown[] = [];
  const inputs = range(4).map((n) => new Uint8Array(600).fill(n));
  for (const input of inputs) {
    // The first keeps the queue until all have been delivered.
    const serial = (_error: unknown, result: unknown) => {
      seen.push(result);
      return seen.length === 1 ? gate : undefined;
    };
    shell.submit({ input, serial });
  }
  await shell.drain();
  open();
  while (seen.length < inputs.length) await turn();
  expect(seen).toEqual(inputs);
  shell.close();
  padata.close();
});
