/** Modules of job functions on this thread: imported when a function of theirs is asked for, and kept. */
import { sourceOf } from '#typescript';
import { thread } from '../base/current-worker.js';
import { messageOf, toErrorRecord } from '../base/error-record.js';
import { BUNDLES, PadataError } from '../base/errors.js';
import type { AnyFunction } from '../base/function-ref.js';
import { isObject, mistake } from '../base/options.js';
import { exportedFunction } from './exported-function.js';
import type { Namespace } from './exported-function.js';
import { importNamespace } from './import-namespace.js';

/** Makes a namespace known under an href, for workers that bundle their functions. @throws ERR_PADATA_ARGUMENT */
export function provideModule(href: string, namespace: Record<string, unknown>): void {
  if (typeof href !== 'string') throw mistake('href', 'a text', href);
  if (!isObject(namespace)) throw mistake('namespace', 'an object', namespace);
  thread.modules.set(href, namespace);
}

/**
 * The function behind a reference, if its module was imported on this thread before.
 * @returns undefined when it was not
 * @throws ERR_PADATA_MODULE when the module has no such function
 */
export function loadedFunction(href: string, name: string): AnyFunction | undefined {
  const namespace = thread.modules.get(href);
  return namespace === undefined ? undefined : exportedFunction(namespace, href, name);
}

/**
 * Imports the module of a reference on this thread and returns the function.
 * @param prepare called with what will be imported, before; may make it possible (a TypeScript loader)
 * @throws ERR_PADATA_MODULE when the module cannot be loaded or has no such function
 */
export async function loadFunction(
  href: string,
  name: string,
  prepare?: (source: string) => Promise<void>,
): Promise<AnyFunction> {
  if (!thread.modules.has(href)) await importModule(href, name, prepare);
  return loadedFunction(href, name)!;
}

async function importModule(
  href: string,
  name: string,
  prepare: ((source: string) => Promise<void>) | undefined,
): Promise<void> {
  let namespace: Namespace;
  try {
    const source = sourceOf(href);
    await prepare?.(source);
    namespace = await importNamespace(source);
  } catch (cause) {
    throw new PadataError(
      'ERR_PADATA_MODULE',
      `cannot load ${href} (for its export "${name}"): ${messageOf(cause)}${hint(href, cause)}`,
      { module: href, name },
      { cause },
    );
  }
  thread.modules.set(href, namespace);
}

/** What helps where the reason alone does not. */
function hint(href: string, cause: unknown): string {
  const { code, fields } = toErrorRecord(cause);
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
    return '. Node loads TypeScript by itself from 22.18 on; before, install tsx and run the program with it, or name the compiled file';
  }
  return code === 'ERR_MODULE_NOT_FOUND' && fields?.['url'] === href
    ? `. In a bundled program jobs have no files of their own: see ${BUNDLES}`
    : '';
}
