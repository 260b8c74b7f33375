/**
 * What another backend of the same interfaces needs to behave as the local one does, to the letter: ordered
 * iteration with back-pressure, stream faces, halt policies, errors that cross, times, the kernel's chunks. For
 * packages that put ordered jobs on another transport; applications do not need it.
 */
export { fromErrorRecord, toErrorRecord } from './base/error-record.js';
export type { ErrorRecord } from './base/error-record.js';
export { checkInteger } from './base/errors.js';
export { moduleHref } from './base/function-ref.js';
export { Histogram } from './base/histogram.js';
export { chunkEnd, chunkStart, planRange } from './range/range-plan.js';
export type { RangePlan, RangeShape } from './range/range-plan.js';
export { HaltCounter } from './series/halt.js';
export { OrderedIterator } from './series/ordered-iterator.js';
export type { OrderedSink } from './series/ordered-iterator.js';
export { makeDuplex, makeTransform } from '#streams';
export { ownValue } from './values/chunk-values.js';
export type { StreamedJobs } from './series/series-types.js';
