/**
 * Runs a chunk of a range job as a job of a local series: the span is the input, function and argument are what
 * the series shares. Imported by the threads of a worker's pool.
 */
import type { JobContext } from '@bootmem/padata/worker';

/** What a range run shares with the threads of a worker. */
export interface SharedChunk {
  readonly href: string;
  readonly name: string;
  readonly arg: unknown;
  /** Somebody asks for values. */
  readonly isAsked: boolean;
}

/** @throws what the function throws; an Error when the module has no such function */
export async function runChunk(
  span: readonly [number, number],
  context: JobContext<SharedChunk>,
): Promise<unknown> {
  const { href, name, arg, isAsked } = context.shared;
  // Cached by the module loader after the first chunk.
  const namespace = (await import(href)) as Record<string, unknown>;
  const fn = namespace[name];
  if (typeof fn !== 'function') throw new Error(`${href} has no function export "${name}"`);
  const call = fn as (start: number, end: number, arg: unknown) => unknown;
  const value = await call(span[0], span[1], arg);
  return isAsked ? value : undefined;
}
