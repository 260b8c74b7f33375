/** What modules with job functions may import: types, transfer lists, deferred completion, bundled entries. */
export type { DeferredJob, JobContext } from './job-context.js';
export { transfer } from './transfer.js';
export { currentWorker } from './current-worker.js';
export { completeDeferred } from './deferred.js';
// For worker files that a bundler builds: provide the job modules under names of your own, then start.
export { provideModule } from './function-ref.js';
export { startWebWorker } from './worker-start.browser.js';
