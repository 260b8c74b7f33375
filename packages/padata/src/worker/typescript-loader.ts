/**
 * Makes TypeScript modules loadable inside a worker on Nodes that cannot do it themselves: registers tsx,
 * found from the module that is to be loaded. A loader registered on the main thread does not reach
 * workers on Node 20, so this has to happen here.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

let registered = false;

/**
 * @param href module to load
 * @param error why; undefined = before the first try
 * @returns true when a loader was registered and the import is worth another try
 */
export async function recoverTypeScript(href: string, error: unknown): Promise<boolean> {
  if (registered || !href.startsWith('file:') || !isTypeScript(href)) return false;
  // A failed import stays failed, so the loader has to be there before the first try: `error` is undefined then.
  // Node's own type stripping (22.18 and later) does not find `x.ts` for an import of `./x.js`; tsx does.
  // That of tsx, though a thread inherits it, does nothing outside the main thread of Node 20.
  const loader = process.execArgv.some((a) => /ts-loader|ts-node|swc/.test(a));
  if (error === undefined && loader) return false;
  let entry: string;
  try {
    entry = createRequire(href).resolve('tsx/esm/api');
  } catch {
    // No tsx in reach of the module: the first error stands, it names the extension.
    return false;
  }
  // `require` finds the CommonJS twin; the loader proper is the module beside it.
  const module = entry.replace(/\.cjs$/, '.mjs');
  const api = (await import(pathToFileURL(existsSync(module) ? module : entry).href)) as {
    register(): unknown;
  };
  api.register();
  registered = true;
  return true;
}

/** A TypeScript source, by its own name or by that of what it will be compiled to. */
function isTypeScript(href: string): boolean {
  const { pathname } = new URL(href);
  if (/\.[cm]?tsx?$/.test(pathname)) return true;
  const source = pathname.replace(/\.([cm]?)js(x?)$/, '.$1ts$2');
  const there = (path: string): boolean => existsSync(new URL(path, href));
  return source !== pathname && !there(pathname) && there(source);
}
