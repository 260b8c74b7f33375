/** Stream faces of a series in browsers: Web streams only. */
import { PadataError } from './errors.js';
import type { Series } from './series.js';

export { makeTransform } from './streams.web.js';

/** There is no node:stream here. @throws ERR_PADATA_ARGUMENT always */
export function makeDuplex(_series: Series): never {
  throw new PadataError('ERR_PADATA_ARGUMENT', 'duplex() needs Node; use transform()');
}
