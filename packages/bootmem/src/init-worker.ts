/**
 * What the threads of a boot run, for workers that come from a program's own bundle: provide all of it under
 * `INIT_MODULE` of `bootmem/browser`.
 *
 * @packageDocumentation
 */
export { attachThread, initChunk, initDeviceChunk, initLone } from './worker/init-worker.js';
