// What a module exports is the program's own: members that look like a promise's, getters that throw, Proxies, what everything
// inherits. A function that is there runs, whatever else there is; what is none ends with a coded error, soon.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createWorkPool, map, parallelFor, provideModule, wrap } from '@bootmem/padata';
import type { FunctionRef, WorkPool } from '@bootmem/padata';

type Any = (input: unknown) => unknown;
type Members = Record<string, (input: unknown) => unknown>;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'padata-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

let files = 0;
/** A new module with this text. */
function write(text: string, name = 'module.mjs'): URL {
  const home = join(folder, `${(files += 1)}`);
  mkdirSync(home);
  const file = join(home, name);
  writeFileSync(file, text);
  return pathToFileURL(file);
}

/** All ways to a function of a module; each gives what the function does. */
const WAYS: Readonly<Record<string, (pool: WorkPool, ref: FunctionRef<Any>) => Promise<unknown>>> =
  {
    run: (pool, ref) => pool.run(ref, 41),
    series: async (pool, ref) => {
      await using series = pool.series({ fn: ref });
      return await series.run(41);
    },
    'a series, ready': async (pool, ref) => {
      await using series = pool.series({ fn: ref });
      await series.ready();
      return await series.run(41);
    },
    map: async (pool, ref) => (await map(pool, [41], ref))[0],
    wrap: async (pool, { module, name }) => {
      await using jobs = wrap<Members>(pool, module);
      return await jobs[name]!(41);
    },
    load: async (pool, ref) => {
      await pool.load(ref);
      return await pool.run(ref, 41);
    },
    'a range': async (pool, ref) => {
      const reduce = (_sum: unknown, value: unknown) => value;
      return (
        await parallelFor(pool, 41, 42, ref as FunctionRef, {
          reduce,
          initial: undefined as unknown,
        })
      ).value;
    },
  };

/** What comes of each way, by threads: results, or codes of errors. */
async function outcomes(ref: FunctionRef): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const threads of [2, 0]) {
    await using pool = createWorkPool({ threads });
    const calls = Object.entries(WAYS).map(async ([way, call]) => {
      try {
        return [threads, way, await call(pool, ref as FunctionRef<Any>)];
      } catch (error) {
        return [threads, way, (error as { code?: unknown }).code ?? error];
      }
    });
    all.push(...(await Promise.all(calls)));
  }
  return all;
}
const always = (outcome: unknown): unknown[] =>
  [2, 0].flatMap((threads) => Object.keys(WAYS).map((way) => [threads, way, outcome]));

const SAME = 'export const same = (value) => value;';
const THENABLES = {
  'never calls back': `${SAME} export function then() {}`,
  'gives a number': `${SAME} export function then(resolve) { resolve(5); }`,
  'gives null': `${SAME} export function then(resolve) { resolve(null); }`,
  rejects: `${SAME} export function then(_, reject) { reject(new Error('no')); }`,
  throws: `${SAME} export function then() { throw new Error('no'); }`,
};

test.each(Object.entries(THENABLES))(
  'a module that exports a function then that %s',
  async (_what, text) => {
    expect(await outcomes({ module: write(text), name: 'same' })).toEqual(
      always('ERR_PADATA_MODULE'),
    );
  },
);

test('the error names the export that is in the way, wherever the module is', async () => {
  const module = write(THENABLES['never calls back'], `od"d' #?%25 ü.mjs`);
  await using pool = createWorkPool({ threads: 1 });
  await expect(pool.run({ module, name: 'same' }, 0)).rejects.toThrow(
    'it exports a function "then"',
  );
});

test('a module that gives another by its then is that one', async () => {
  const module = write(`export function then(resolve) { resolve({ same: (value) => value }); }`);
  expect(await outcomes({ module, name: 'same' })).toEqual(always(41));
});

test('a set-up in such a module fails', async () => {
  const setup = { module: write(THENABLES['never calls back']), name: 'same' };
  await using pool = createWorkPool({ threads: 1, setup });
  await expect(pool.ready()).rejects.toMatchObject({ code: 'ERR_PADATA_SETUP' });
});

// Under jest the calling thread's import of such a module is jest's, which shows all members as exports.
test.each(['then', 'same'])('CommonJS exports with a then: its function %s', async (name) => {
  const text = `const all = { then: (value) => value, same: (value) => value };
    module.exports = Object.assign(Object.create(null), all);`;
  const ref = { module: write(text, 'module.cjs'), name };
  await using pool = createWorkPool({ threads: 1 });
  expect(await pool.run<Any>(ref, 41)).toBe(41);
});

const FUNCTIONS = {
  'has a then': `export const same = Object.assign((value) => value, { then() {} });`,
  'inherits a then': `const fn = (value) => value;
    export const same = Object.setPrototypeOf(fn, Object.assign(() => 0, { then() {} }));`,
  'is a Proxy that has all': `export const same = new Proxy((value) => value, { get: () => () => 0 });`,
  'is of a class': `class Api { #key = 0; same(value) { return value + this.#key; } }
    export default new Api();`,
  'is inherited by a class': `class Base { static same(value) { return value; } }
    export default class extends Base {}`,
};
test.each(Object.entries(FUNCTIONS))('a function that %s runs', async (_what, text) => {
  expect(await outcomes({ module: write(text), name: 'same' })).toEqual(always(41));
});

const UNREADABLE = {
  'a getter of CommonJS exports': `module.exports = Object.create(null, {
    same: { get() { throw new Error('no'); }, enumerable: true } });`,
  'exports that are a Proxy': `const get = (target, name) => { if (name === 'same') throw new Error('no'); };
    module.exports = new Proxy({}, { get });`,
  'a function whose then cannot be read': `const fn = Object.defineProperty((value) => value, 'then', {
    get() { throw new Error('no'); } });
    module.exports = { __proto__: null, same: fn };`,
};
test.each(Object.entries(UNREADABLE))('%s: reading it throws', async (_what, text) => {
  const ref = { module: write(text, 'module.cjs'), name: 'same' };
  expect(await outcomes(ref)).toEqual(always('ERR_PADATA_MODULE'));
});

test.each(['toString', 'constructor', 'hasOwnProperty', '__proto__', 'call', 'bind'])(
  'what everything inherits is no export: %s',
  async (name) => {
    for (const text of ['module.exports = { [Math.random()]: 0 };', 'module.exports = () => 0;']) {
      const ref = { module: write(text, 'module.cjs'), name };
      expect(await outcomes(ref)).toEqual(always('ERR_PADATA_MODULE'));
    }
    provideModule(`nothing for ${name}`, {});
    await using pool = createWorkPool({ threads: 0 });
    await expect(pool.run({ module: `nothing for ${name}`, name }, 0)).rejects.toMatchObject({
      code: 'ERR_PADATA_MODULE',
    });
  },
);

test.each([
  ['a class', 'export class same {}', 'ERR_PADATA_JOB_FAILED'],
  ['a generator', 'export function* same() {}', 'ERR_PADATA_CLONE'],
  ['an asynchronous generator', 'export async function* same() {}', 'ERR_PADATA_CLONE'],
])('an export that is %s is called as any: what it does is its own', async (_what, text, code) => {
  await using pool = createWorkPool({ threads: 1 });
  const ref = { module: write(text), name: 'same' };
  await expect(pool.run(ref, 0)).rejects.toMatchObject({ code });
  await using series = pool.series<Any>({ fn: ref });
  await expect(series.run(0)).rejects.toMatchObject({ code });
});

test('modules without a file', async () => {
  const module = `data:text/javascript,${encodeURIComponent(SAME)}`;
  expect(await outcomes({ module, name: 'same' })).toEqual(always(41));
  const thenable = `data:text/javascript,${encodeURIComponent(THENABLES['never calls back'])}`;
  expect(await outcomes({ module: thenable, name: 'same' })).toEqual(always('ERR_PADATA_MODULE'));
  for (const none of [
    'blob:nodedata:none',
    'https://127.0.0.1:9/jobs.mjs',
    'no-package-of-this-name',
  ]) {
    expect(await outcomes({ module: none, name: 'same' })).toEqual(always('ERR_PADATA_MODULE'));
  }
});

test('a module that is gone when the next thread wants it', async () => {
  const module = write(
    `import { rmSync } from 'node:fs';
     import { fileURLToPath } from 'node:url';
     rmSync(fileURLToPath(import.meta.url));
     ${SAME} export const end = () => process.exit();`,
  );
  await using pool = createWorkPool({ threads: 1 });
  expect(await pool.run({ module, name: 'same' }, 41)).toBe(41);
  await expect(pool.run({ module, name: 'end' }, 0)).rejects.toMatchObject({
    code: 'ERR_PADATA_WORKER_DIED',
  });
  await expect(pool.run({ module, name: 'same' }, 41)).rejects.toMatchObject({
    code: 'ERR_PADATA_MODULE',
  });
});

test('a series calls the function that it has found first, though the module exports another by now', async () => {
  const module = write(
    `export let same = () => 'first';
     export const change = () => { same = () => 'second'; };`,
  );
  await using pool = createWorkPool({ threads: 1 });
  await using before = pool.series<Any>({ fn: { module, name: 'same' } });
  expect(await before.run(0)).toBe('first');
  await pool.run({ module, name: 'change' }, 0);
  await using after = pool.series<Any>({ fn: { module, name: 'same' } });
  expect(await Promise.all([before.run(0), after.run(0)])).toEqual(['first', 'second']);
});

test('a reference that names no module is refused at once', () => {
  const refs = [
    { module: null },
    { module: undefined },
    { module: 5 },
    { module: {} },
    { module: '' },
  ];
  const pool = createWorkPool({ threads: 0 });
  for (const ref of refs) {
    const fn = { ...ref, name: 'same' } as unknown as FunctionRef;
    expect(() => pool.series({ fn })).toThrow(
      expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }),
    );
  }
});
