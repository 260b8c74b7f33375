/**
 * Functions named by module and export, because a function cannot cross threads.
 *
 * A `FunctionRef` is a plain object that survives structured clone. Its type parameter is a phantom: it
 * carries the function's type from the module, so that arguments and results are checked at the call.
 */
import { sourceOf } from '#typescript';
import { thread } from './current-worker.js';
import { messageOf, toErrorRecord } from './error-record.js';
import { BUNDLES, PadataError } from './errors.js';

/** Names an exported function of a module; `F` is its type (no run-time value). */
export interface FunctionRef<F = unknown> {
  /** Absolute URL of the module (`new URL('./jobs.js', import.meta.url)`), or a package name. */
  readonly module: string | URL;
  /** Name of the export. */
  readonly name: string;
  /** Never set. */
  readonly '~type'?: F;
}

/** Names of the exports of module type `M` that are functions. */
type FunctionName<M> = {
  [K in keyof M]: M[K] extends (...args: never[]) => unknown ? K : never;
}[keyof M] &
  string;

/**
 * Typed reference to an export.
 * @param module absolute URL of the module, or a package specifier that every thread can import
 * @param name   export that is a function
 * @example functionRef<typeof import('../jobs.js'), 'seal'>(new URL('./jobs.js', import.meta.url), 'seal')
 */
export function functionRef<M, K extends FunctionName<M> = FunctionName<M>>(
  module: string | URL,
  name: K,
): FunctionRef<M[K]> {
  return { module, name };
}

/**
 * Href of a reference's module; what all threads import. Absolute paths are taken as they are, whatever characters they
 * have; Windows' too.
 * @throws ERR_PADATA_ARGUMENT for a relative path, which every thread would resolve elsewhere, and for a function
 */
export function moduleHref(ref: FunctionRef): string {
  checkRef(ref);
  const href = typeof ref.module === 'string' ? ref.module : ref.module.href;
  if (href === '' || href.startsWith('.')) {
    throw new PadataError(
      'ERR_PADATA_ARGUMENT',
      `module must be an absolute URL or a package name, got "${href}"; write new URL('${href}', import.meta.url)`,
      { module: href },
    );
  }
  // A plain absolute path is what CommonJS users have at hand.
  if (href.startsWith('/')) return fileHref(`//${href}`);
  const slashes = href.replaceAll('\\', '/');
  if (/^[a-z]:\//i.test(slashes)) return fileHref(`///${slashes}`);
  return href.startsWith('\\\\') ? fileHref(slashes) : href;
}

/** In a path no character means anything but itself. */
function fileHref(path: string): string {
  return new URL(`file:${path.replace(/[%\\?#\n\r\t]/g, encodeURIComponent)}`).href;
}

/** A reference is data: what could be mistaken for one is refused with a word on how to name a function. */
function checkRef(ref: unknown): asserts ref is FunctionRef {
  const { module, name } = (typeof ref === 'object' && ref !== null ? ref : {}) as FunctionRef;
  const href: unknown = typeof module === 'object' ? module.href : module;
  if (typeof href === 'string' && typeof name === 'string' && name !== '') return;
  throw new PadataError(
    'ERR_PADATA_ARGUMENT',
    typeof ref === 'function'
      ? `a function cannot cross threads: export it from a module and name it, { module: new URL('./jobs.js', import.meta.url), name: '${ref.name || 'work'}' }`
      : 'a function is named by { module, name }: the URL of its module and its export',
    { module, name },
  );
}

/** Any function that can be named. */
export type AnyFunction = (...args: unknown[]) => unknown;

/**
 * The function behind a reference, if its module was imported on this thread before.
 * @returns undefined when it was not
 * @throws ERR_PADATA_MODULE when the module has no such function
 */
export function loadedFunction(href: string, name: string): AnyFunction | undefined {
  const namespace = thread.modules.get(href);
  return namespace === undefined ? undefined : pick(namespace, href, name);
}

/** Makes a namespace known under an href, for workers that bundle their functions. */
export function provideModule(href: string, namespace: Record<string, unknown>): void {
  thread.modules.set(href, namespace);
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
  let namespace = thread.modules.get(href);
  if (namespace === undefined) {
    namespace = await importModule(href, name, prepare);
    thread.modules.set(href, namespace);
  }
  return pick(namespace, href, name);
}

async function importModule(
  href: string,
  name: string,
  prepare: ((source: string) => Promise<void>) | undefined,
): Promise<Record<string, unknown>> {
  try {
    const source = sourceOf(href);
    await prepare?.(source);
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ source)) as Record<
      string,
      unknown
    >;
  } catch (cause) {
    throw new PadataError(
      'ERR_PADATA_MODULE',
      `cannot load ${href} (for its export "${name}"): ${messageOf(cause)}${hint(href, cause)}`,
      { module: href, name },
      { cause },
    );
  }
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

/**
 * CommonJS modules show their exports one level down when they cannot be seen statically. Such a function is called as one
 * of what has it.
 */
function pick(namespace: Record<string, unknown>, href: string, name: string): AnyFunction {
  const direct = namespace[name];
  if (typeof direct === 'function') return direct as AnyFunction;
  const exported = namespace['default'];
  const hasMembers = typeof exported === 'object' && exported !== null;
  // What all functions inherit (`call`, `bind`) is no export.
  if (hasMembers || (typeof exported === 'function' && Object.hasOwn(exported, name))) {
    const member = (exported as Record<string, unknown>)[name];
    if (typeof member === 'function') return member.bind(exported) as AnyFunction;
  }
  throw new PadataError('ERR_PADATA_MODULE', `${href} has no function export "${name}"`, {
    module: href,
    name,
  });
}
