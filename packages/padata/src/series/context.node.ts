/**
 * The asynchronous context (AsyncLocalStorage) in which a callback was handed over, for a callback that is called later
 * from somewhere else. A promise keeps it by itself, a plain callback does not.
 *
 * Keeping it costs 0.1 us and more, which is much beside a small job, so it is kept only where somebody may have put
 * something into it. Until Node 22 whoever uses a storage makes the engine number all promises, and a promise tells that
 * for some 4 ns. From Node 24 on contexts are frames of which nothing tells: they are always kept.
 */
import { AsyncResource } from 'node:async_hooks';

/** A callback that gets three arguments, as those of jobs do. */
type Callback<A, B, C> = (a: A, b: B, c: C) => unknown;

const TYPE = 'padata';
const FRAMES = '--experimental-async-context-frame';
const nothing = (): void => undefined;

/** Key of a promise's number; undefined = contexts are frames, or promises have no such key. */
const numberKey = ((): symbol | undefined => {
  const { execArgv, env, versions } = process;
  if (Number.parseInt(versions.node, 10) >= 24 || execArgv.includes(FRAMES)) return undefined;
  if (env['NODE_OPTIONS']?.includes(FRAMES) === true) return undefined;
  const keys = Object.getOwnPropertySymbols(new AsyncResource(TYPE));
  return keys.find((key) => key.description === 'async_id_symbol');
})();

/** May there be something in the context of now? */
function mayHoldValues(): boolean {
  if (numberKey === undefined) return true;
  const promise: object = new Promise<void>(nothing);
  return (promise as Readonly<Record<symbol, unknown>>)[numberKey] !== undefined;
}

/** The callback, to be called in the context of now; itself where there is nothing to keep. */
export function inContext<A, B, C>(callback: Callback<A, B, C>): Callback<A, B, C> {
  if (!mayHoldValues()) return callback;
  const resource = new AsyncResource(TYPE);
  return (a, b, c) =>
    resource.runInAsyncScope(callback as (...args: unknown[]) => unknown, undefined, a, b, c);
}
