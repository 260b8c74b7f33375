/**
 * Imports a module, whatever it exports.
 *
 * One that exports a function `then` is taken for a promise: `import` calls that function and gives what it is given back, if ever.
 * Nobody is told. So where an import takes long, the module is looked at through another that has it as a member.
 *
 * ```
 *   import(source) ─ settles ─▶ what it gives is the module
 *         └ pending ─▶ import('data: export * as module from source') ─▶ is there, has a function `then` ─▶ error
 *                                                                    └ else ─▶ the import goes on
 * ```
 * Both are one import: modules are kept by their addresses, so nothing is run twice, and a verdict is no matter of time.
 */
import { clearTimeout, setTimeout } from '../base/host-time.js';
import type { Namespace } from './exported-function.js';

/** A module that is not there after so long is looked at, in milliseconds. */
const LOOK_MS = 100;

/** @throws what its import ends with; an Error when that gives no module, or never will */
export async function importNamespace(source: string): Promise<Namespace> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const never = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      void isThenable(source).then((is) => {
        if (is) reject(new Error(`it exports a function "then"${SO}`));
      });
    }, LOOK_MS);
  });
  try {
    const given: unknown = await Promise.race([importOf(source), never]);
    if (typeof given === 'object' && given !== null) return given as Namespace;
    throw new Error(
      `it exports a function "then" that gives ${given === null ? 'null' : typeof given}${SO}`,
    );
  } finally {
    clearTimeout(timer);
  }
}

const SO =
  ', so whoever imports it takes it for a promise and never gets the module; give that export another name';

const importOf = (source: string): Promise<unknown> =>
  import(/* @vite-ignore */ /* webpackIgnore: true */ source);

/** In a promise: where all that a thread runs is one file of CommonJS, another has to be asked (`tools/stage`). */
const resolved = (source: string): Promise<string> => Promise.resolve(import.meta.resolve(source));

/** Does the module, once it is there, export a function `then`? false where modules cannot be looked at. */
async function isThenable(source: string): Promise<boolean> {
  try {
    const absolute = /^[a-z][a-z\d+.-]+:/i.test(source) ? source : await resolved(source);
    const text = `export * as module from ${JSON.stringify(absolute)}`;
    const look = (await importOf(`data:text/javascript,${encodeURIComponent(text)}`)) as {
      readonly module: Namespace;
    };
    return typeof look.module['then'] === 'function';
  } catch {
    // The import itself says what is wrong.
    return false;
  }
}
