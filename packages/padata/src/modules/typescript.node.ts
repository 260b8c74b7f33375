/**
 * Job modules in TypeScript on Node: where their text is, and who translates it.
 *
 * ```
 *   named ./jobs.js or ./jobs.ts ─ sourceOf ─▶ the file that is there ─▶ a loader of the host ─▶ tsx ─▶ Node's own type stripping
 * ```
 * A loader registered on the main thread does not reach workers on Node 20, so each thread registers tsx for itself.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const IS_TYPESCRIPT = /\.[cm]?tsx?($|[?#])/;
const loaders = process.execArgv.concat(process.env['NODE_OPTIONS']?.split(/\s+/) ?? []);
/** A host that brings a loader of its own for threads. */
const hasLoader = loaders.some((flag) => /ts-loader|ts-node|swc/.test(flag));

let registered = false;

/** What to import for a module: `x.ts` for an `x.js` that is not there, because nothing has compiled it; else the same. */
export function sourceOf(href: string): string {
  if (!href.startsWith('file:')) return href;
  const url = new URL(href);
  const { pathname } = url;
  const source = pathname.replace(/\.([cm]?)js(x?)$/, '.$1ts$2');
  if (source === pathname || existsSync(url)) return href;
  url.pathname = source;
  return existsSync(url) ? url.href : href;
}

/**
 * Makes a TypeScript module loadable on this thread, before it is imported: Node remembers an import that failed. Elsewhere
 * and for other modules it does nothing.
 * @param href module to load, as `sourceOf` has found it
 */
export async function prepareTypeScript(href: string): Promise<void> {
  if (registered || hasLoader || !href.startsWith('file:') || !IS_TYPESCRIPT.test(href)) return;
  // Node's own type stripping (22.18 and later) does not find `x.ts` for an import of `./x.js`; tsx does.
  const entry = findTsx(href);
  // Without tsx Node does what it can: its error names the extension.
  if (entry === undefined) return;
  // `require` finds the CommonJS twin; the loader proper is the module beside it.
  const module = entry.replace(/\.cjs$/, '.mjs');
  const api = (await import(pathToFileURL(existsSync(module) ? module : entry).href)) as {
    register(): unknown;
  };
  api.register();
  registered = true;
}

/** tsx as the module would find it, else that which runs the program, else that of the current folder. */
function findTsx(href: string): string | undefined {
  const runs = loaders
    .map((flag) => flag.replace(/^--\w+=/, ''))
    .filter((flag) => /^(\/|file:|[a-z]:[\\/]).*tsx/i.test(flag));
  for (const from of [href, ...runs, pathToFileURL(`${process.cwd()}/-`).href]) {
    try {
      return createRequire(from).resolve('tsx/esm/api');
    } catch {
      // Not from there.
    }
  }
  return undefined;
}
