/**
 * Functions named by module and export, because a function cannot cross threads.
 *
 * A `FunctionRef` is a plain object that survives structured clone. Its type parameter is a phantom: it
 * carries the function's type from the module, so that arguments and results are checked at the call.
 */
import { PadataError } from './errors.js';

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
  const href: unknown =
    typeof module === 'string' ? module : (module as URL | null | undefined)?.href;
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
