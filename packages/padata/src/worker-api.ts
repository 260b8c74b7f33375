/** What modules with job functions may import: types, transfer lists, deferred completion, bundled entries. */
export type { DeferredJob, JobContext } from './job-context.js';
export { transfer } from './transfer.js';
export { completeDeferred } from './deferred.js';
