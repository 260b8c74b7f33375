/**
 * Names of the functions that threads run: by the module's URL in Node, by a name that worker and page agree
 * on where code is bundled.
 */

/** A function by module and export, as padata takes it. */
interface WorkerFunction {
  readonly module: string | URL;
  readonly name: string;
}

/** The functions of `init-worker`. */
export interface WorkerFunctions {
  readonly chunk: WorkerFunction;
  readonly lone: WorkerFunction;
  readonly attach: WorkerFunction;
  readonly device: WorkerFunction;
}

/**
 * @param module  name of the module that holds them; default its URL beside this file
 */
export function workerFunctions(module?: string): WorkerFunctions {
  const place = module ?? new URL('./init-worker.js', import.meta.url);
  return {
    chunk: { module: place, name: 'initChunk' },
    lone: { module: place, name: 'initLone' },
    attach: { module: place, name: 'attachThread' },
    device: { module: place, name: 'initDeviceChunk' },
  };
}
