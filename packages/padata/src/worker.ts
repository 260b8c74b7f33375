/**
 * For modules with job functions: their context, transfer lists, deferred completion; and for worker files that a
 * bundler builds: provide the job modules under names of your own, then start.
 */
export type { DeferredJob, JobContext } from './slot/job-context.js';
export { transfer } from './values/transfer.js';
export { currentWorker } from './base/current-worker.js';
export { completeDeferred } from './slot/deferred.js';
export { provideModule } from './modules/job-modules.js';
export { startWorker } from '#start';
