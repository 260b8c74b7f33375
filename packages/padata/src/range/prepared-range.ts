/** A range job that was announced to the threads, as its program has it. */
import { PadataError } from '../base/errors.js';
import { checkRun } from './range-engine.js';
import type { RangeEngine } from './range-engine.js';
import type { RangeJobState } from './range-job.js';
import type { PreparedRange, RangeResult } from './range-types.js';

/** @param checkOpen throws when nothing is to run any more */
export function preparedRange<V>(
  engine: RangeEngine,
  state: RangeJobState,
  checkOpen: () => void,
): PreparedRange<V> {
  const check = (): void => {
    checkOpen();
    if (state.disposed) throw new PadataError('ERR_PADATA_CLOSED', 'the range job was closed');
  };
  const close = (): void => {
    if (!state.disposed) engine.dispose(state);
  };
  return {
    run: async (start, size, run = {}) => {
      check();
      checkRun(run);
      return (await engine.run(state, start, size, run)) as RangeResult<V>;
    },
    runSync: (start, size) => {
      check();
      return engine.runSync(state, start, size) as RangeResult<V>;
    },
    close,
    [Symbol.dispose]: close,
  };
}
