/**
 * Makes TypeScript modules loadable inside a worker on Nodes that cannot do it themselves: registers tsx,
 * found from the module that is to be loaded. A loader registered on the main thread does not reach
 * workers on Node 20, so this has to happen here.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

let registered = false;

/**
 * @param href module that failed to load
 * @param error why
 * @returns true when a loader was registered and the import is worth another try
 */
export async function recoverTypeScript(href: string, error: unknown): Promise<boolean> {
  if (registered || !href.startsWith('file:') || !/\.[cm]?tsx?($|[?#])/.test(href)) return false;
  const code = (error as { code?: unknown } | null)?.code;
  const syntax = (error as { name?: unknown } | null)?.name === 'SyntaxError';
  if (code !== 'ERR_UNKNOWN_FILE_EXTENSION' && code !== 'ERR_MODULE_NOT_FOUND' && !syntax) {
    return false;
  }
  let entry: string;
  try {
    entry = createRequire(href).resolve('tsx/esm/api');
  } catch {
    // No tsx in reach of the module: the first error stands, it names the extension.
    return false;
  }
  const api = (await import(pathToFileURL(entry).href)) as { register(): unknown };
  api.register();
  registered = true;
  return true;
}
