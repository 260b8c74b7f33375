/**
 * The part of bootmem that runs in a browser: booting a description, no files, no command.
 *
 * ```ts no-run
 * // page                                              // my.worker.ts
 * import { bootMemory } from 'bootmem/browser';        import * as init from 'bootmem/init-worker';
 * await bootMemory(description, {                      import { provideModule, startWorker } from '@bootmem/padata/worker';
 *   threads: 4,                                        provideModule('bootmem:init', { ...init });
 *   worker: () => new Worker(…, { type: 'module' }),   startWorker();
 * });
 * ```
 * Threads need a page that is cross-origin isolated and a `worker`; without either everything runs in the
 * calling thread.
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import { provideModule } from '@bootmem/padata';
import { bootMemory as boot } from './boot/boot-memory.js';
import type { Machine } from './boot/machine.js';
import type { BootOptions } from './boot/types.js';
import * as initWorker from './init-worker.js';

export type { Machine } from './boot/machine.js';
export type { BootEvent, BootOptions } from './boot/types.js';
export { checkMachine } from './check/check-machine.js';
export { BootmemError } from './errors.js';
export { explainMachine } from './explain/explain-machine.js';
export type { BootReport, ChunkReport } from './result.js';

/** Name under which a worker provides the exports of `bootmem/init-worker`. */
export const INIT_MODULE = 'bootmem:init';

/**
 * Brings a machine's memory up; as in the main entry, but threads come from `options.worker`.
 * @param description  from `@bootmem/firmware-map`
 * @param options      as for Node; without `worker`, or without shared memory, `threads` counts as 1
 */
export function bootMemory(
  description: MachineDescription,
  options: BootOptions = {},
): Promise<Machine> {
  provideModule(INIT_MODULE, { ...initWorker });
  const shared = typeof SharedArrayBuffer === 'function' && options.worker !== undefined;
  return boot(description, {
    workerModule: INIT_MODULE,
    ...options,
    ...(shared ? {} : { threads: 1 }),
  });
}
