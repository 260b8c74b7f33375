/**
 * No platform: accepting costs nothing and does nothing. For ordinary guests and for measuring the protocol alone.
 */
import type { AcceptBackend, BackendHandle } from './backend.js';

/** Creates the backend that has nothing to do. */
export function createNoneBackend(): AcceptBackend {
  return {
    name: 'none',
    granularity: Number.MAX_SAFE_INTEGER,
    maxRun: Number.MAX_SAFE_INTEGER,
    repeatable: 'concurrently',
    accept: () => undefined,
    toHandle: (): BackendHandle => ({ kind: 'none' }),
  };
}
