/** Starts one thread; a bundler finds the worker by this expression. */
export function initThread(): Worker {
  return new Worker(new URL('./init.worker.ts', import.meta.url), { type: 'module' });
}
