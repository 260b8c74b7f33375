/** Imports on this thread that must not wait for ever. */
import { PadataError } from './errors.js';
import { loadFunction } from './function-ref.js';
import type { AnyFunction } from './function-ref.js';

/**
 * `loadFunction` that gives up: a module that awaits at its top level what needs the module itself would wait for ever.
 * @param ms time it may take
 * @throws ERR_PADATA_MODULE as `loadFunction`, and when the import has not ended in time
 */
export async function loadWithin(href: string, name: string, ms: number): Promise<AnyFunction> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new PadataError(
          'ERR_PADATA_MODULE',
          `the import of ${href} in the calling thread has not ended in ${ms} ms. Does the module await at its top level what needs the module itself? A top-level await keeps its own import pending: call it from a function that the top level does not await, or move the job functions into a module of their own`,
          { module: href, name, loadTimeoutMs: ms },
        ),
      );
    }, ms);
  });
  try {
    return await Promise.race([loadFunction(href, name), late]);
  } finally {
    clearTimeout(timer);
  }
}
