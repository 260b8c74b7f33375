// A chunk gives `reduce` the same whoever has run it, the caller or a thread, for values and errors of all kinds.
import { afterAll, describe, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import { formOf } from '../fixtures/value-forms.js';

const module = new URL('../fixtures/value-kinds.mjs', import.meta.url);
type Makers = Record<string, () => unknown>;
const { KINDS, REFUSED, drawn } = (await import(module.href)) as {
  KINDS: Makers;
  REFUSED: Makers;
  drawn: (seed: number) => unknown;
};

const pool = createWorkPool({ threads: 2 });
const none = createWorkPool({ threads: 0 });
afterAll(() => Promise.all([pool.close(), none.close()]));

const CALLER = 1;
const THREAD = 2;
const CHUNKS = 8;
interface What {
  readonly name?: string;
  readonly seed?: number;
  readonly isInside?: boolean;
}
const gather = {
  initial: [] as unknown[],
  reduce: (all: unknown[], value: unknown): unknown[] => [...all, value],
};

/** What chunks of the caller's, a thread's or both give. */
async function given(what: What, by: number, name = 'give', isSync = false): Promise<unknown[]> {
  const ran = new Int32Array(new SharedArrayBuffer(4 * (1 + CHUNKS)));
  const job = { threadFn: { module, name }, arg: { ...what, by, ran }, maxThreads: 2, ...gather };
  await pool.ready();
  if (!isSync) {
    const { value } = await pool.runMultithreaded({ ...job, start: 0, size: CHUNKS });
    return value.filter((_, chunk) => (ran[1 + chunk]! & by) !== 0);
  }
  await pool.load(job.threadFn);
  const { value } = pool.runMultithreadedSync({ ...job, start: 0, size: CHUNKS });
  return value.filter((_, chunk) => (ran[1 + chunk]! & by) !== 0);
}
/** What the caller's give where nobody helps: in chunks or one call, blocking or not. */
async function givenAlone(what: What): Promise<unknown[]> {
  const job = { threadFn: { module, name: 'give' }, arg: what, ...gather };
  const one = await none.runMultithreaded({ ...job, start: 0, size: 1 });
  const chunks = await none.runMultithreaded({ ...job, start: 0, size: 3, maxThreads: 3 });
  const range = await none.prepareRange({ ...job, maxThreads: 3 });
  const blocking = [range.runSync(0, 1), range.runSync(0, 3)];
  return [one, chunks, ...blocking].flatMap(({ value }) => value);
}
const forms = (values: unknown[]): unknown[] => values.map((value) => formOf(value));
/** All of these are like the first of them, which is returned. */
function alike(values: unknown[]): unknown {
  const all = forms(values);
  expect(all.length).toBeGreaterThan(0);
  for (const form of all) expect(form).toEqual(all[0]);
  return values[0];
}

test.each(Object.keys(KINDS))(
  '%s: the same by caller and thread, and as a clone has it',
  async (name) => {
    const both = await given({ name }, CALLER | THREAD);
    expect(both).toHaveLength(CHUNKS);
    const value = alike([...both, ...(await given({ name }, CALLER | THREAD, 'give', true))]);
    alike([value, ...(await givenAlone({ name }))]);
    alike([value, ...(await given({ name }, CALLER | THREAD, 'giveLater'))]);
    expect(formOf(value, false)).toEqual(formOf(structuredClone(KINDS[name]!()), false));
  },
);

test.each([CALLER, THREAD])(
  'plain data that is too long to be encoded arrives (%i)',
  async (by) => {
    for (const value of await given({ name: 'long' }, by)) {
      const rows = value as { id: number; text: string }[];
      expect(rows.map(({ id, text }) => [id, text.length])).toEqual(
        [0, 1, 2, 3].map((id) => [id, 1 << 20]),
      );
    }
  },
);

test.each([CALLER, THREAD])('what no clone takes and yet can be read arrives (%i)', async (by) => {
  const values = await given({ name: 'proxy' }, by);
  expect(values.length).toBeGreaterThan(0);
  for (const value of values) expect(value).toEqual({ a: [1, {}] });
});

test.each(['part', 'buffer', 'ofShared', 'resizable'])(
  'bytes have nothing else behind them: %s',
  async (name) => {
    for (const value of await given({ name }, CALLER | THREAD)) {
      const { buffer, byteLength } = value as Uint8Array;
      expect(formOf(buffer)).toEqual({ kind: 'ArrayBuffer', byteLength, resizable: false });
    }
  },
);

test.each(Array.from({ length: 40 }, (_, seed) => seed))(
  'values that are drawn: the same by caller and thread, and as a clone has them (seed %i)',
  async (seed) => {
    const value = alike(await given({ seed }, CALLER | THREAD));
    alike([value, ...(await givenAlone({ seed }))]);
    expect(formOf(value, false)).toEqual(formOf(structuredClone(drawn(seed)), false));
  },
);

describe.each([
  ['the caller', CALLER],
  ['a thread', THREAD],
])('by %s', (_, by) => {
  test.each(Object.keys(REFUSED))('what no clone takes fails its chunk: %s', async (name) => {
    const message = expect.stringMatching(/the value of chunk \d+ cannot be cloned/) as unknown;
    const refused = { code: 'ERR_PADATA_CLONE', message };
    await expect(given({ name }, by)).rejects.toMatchObject(refused);
    await expect(given({ name }, by, 'give', true)).rejects.toMatchObject(refused);
  });

  test('what is handed over is moved, and is one memory still', async () => {
    for (const value of await given({ name: 'moved' }, by)) {
      const { bytes, part } = value as { bytes: Uint8Array; part: Uint8Array };
      expect([[...bytes], [...part], part.buffer === bytes.buffer]).toEqual([
        [1, 2, 3, 4],
        [2, 3, 4],
        true,
      ]);
    }
    for (const value of await given({ name: 'movedPort' }, by)) {
      const { port } = value as { port: { close(): void } };
      expect(port.constructor.name).toBe('MessagePort');
      port.close();
    }
  });
});

test.each(Object.keys(REFUSED))('what no clone takes fails without threads: %s', async (name) => {
  await expect(givenAlone({ name })).rejects.toMatchObject({ code: 'ERR_PADATA_CLONE' });
  const job = { threadFn: { module, name: 'give' }, arg: { name } };
  // Nobody asks for it.
  expect((await none.runMultithreaded({ ...job, start: 0, size: 1 })).value).toBeUndefined();
});

const thrown = async (what: What, by: number): Promise<unknown> => {
  const run = given(what, by, 'fail').catch((reason: unknown) => reason);
  const { code, cause } = (await run) as { code: string; cause: unknown };
  expect(code).toBe('ERR_PADATA_CHUNK_FAILED');
  return cause;
};
test.each(['error', 'errorOfErrors', 'instance', 'map', 'text', 'cycle', 'part'])(
  'what a chunk throws is the same by caller and thread: %s',
  async (name) => {
    const cause = await thrown({ name }, CALLER);
    alike([cause, await thrown({ name }, THREAD)]);
    const inside = await thrown({ name, isInside: true }, CALLER);
    alike([inside, await thrown({ name, isInside: true }, THREAD)]);
    // Functions do not cross.
    expect(Object.keys(inside as object)).toEqual(['value', 'n']);
    const alone = { threadFn: { module, name: 'fail' }, arg: { name, isInside: true } };
    const run = none.runMultithreaded({ ...alone, start: 0, size: 1 });
    const range = await none.prepareRange({ ...alone, maxThreads: 3 });
    const causes = [await run.catch((reason: unknown) => (reason as Error).cause)];
    for (const size of [1, 3])
      try {
        range.runSync(0, size);
      } catch (reason) {
        expect(reason).toMatchObject({ code: 'ERR_PADATA_CHUNK_FAILED', details: { worker: 0 } });
        causes.push((reason as Error).cause);
      }
    expect(causes).toHaveLength(3);
    alike([inside, ...causes]);
  },
);
