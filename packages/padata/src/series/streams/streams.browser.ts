/** Stream faces of a series in browsers: Web streams only. */
import { PadataError } from '../../base/errors.js';
import type { StreamedJobs } from '../series-types.js';

export { makeTransform } from './streams.web.js';

/** There is no node:stream here. @throws ERR_PADATA_ARGUMENT always */
export function makeDuplex(_series: StreamedJobs): never {
  throw new PadataError('ERR_PADATA_ARGUMENT', 'duplex() needs Node; use transform()');
}
