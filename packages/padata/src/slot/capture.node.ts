/**
 * Capture of what jobs write, on Node: `process.stdout` and `process.stderr`, and so `console`, of the thread. Whose a write is
 * its asynchronous context says, so jobs that overlap on a thread are told apart. What has no job's context, or comes when that
 * is over, is ordinary output. Nothing of it is here before the first job that is captured.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { format } from 'node:util';
import type { AnyFunction } from '../base/function-ref.js';
import type { SlotContext } from './job-context.js';
import { OutputKeeper } from './job-output.js';
import type { StreamNumber } from './job-output.js';

/** Can what jobs write be captured here? */
export function canCapture(): boolean {
  return true;
}

// As it was at the start, as host-time says.
const nextTick = process.nextTick.bind(process);

let storage: AsyncLocalStorage<OutputKeeper> | undefined;

/**
 * The same function, whose output is kept and told with its outcome.
 * @param maxBytes of both streams together; 0 = the function itself
 */
export function capturing(fn: AnyFunction, maxBytes: number): AnyFunction {
  if (maxBytes === 0) return fn;
  const jobs = (storage ??= watchStreams());
  return (input, given) => {
    const keeper = new OutputKeeper(maxBytes);
    (given as SlotContext).keepOutput(keeper);
    return jobs.run(keeper, fn, input, given);
  };
}

type Done = (error?: Error | null) => void;

function watchStreams(): AsyncLocalStorage<OutputKeeper> {
  const jobs = new AsyncLocalStorage<OutputKeeper>();
  for (const [number, stream] of [process.stdout, process.stderr].entries()) {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its stream.
    const { write } = stream;
    const watched = (chunk: unknown, encoding?: BufferEncoding | Done, done?: Done): boolean => {
      // One whose job was given up keeps on: half of an output would be nobody's.
      const keeper = jobs.getStore();
      const bytes = keeper?.isClosed === false ? bytesOf(chunk, encoding) : undefined;
      if (bytes === undefined) return write.call(stream, chunk as string, encoding as 'utf8', done);
      keeper!.add(number as StreamNumber, bytes);
      const told = typeof encoding === 'function' ? encoding : done;
      if (told !== undefined) nextTick(told);
      return true;
    };
    stream.write = watched;
  }
  // Deno's console goes past the streams.
  if ('Deno' in globalThis) sendConsole(() => jobs.getStore()?.isClosed === false);
  return jobs;
}

/** What `console` prints goes to the streams, while `isWatched` says so. */
function sendConsole(isWatched: () => boolean): void {
  const streams = {
    log: 'stdout',
    info: 'stdout',
    debug: 'stdout',
    warn: 'stderr',
    error: 'stderr',
  };
  for (const [name, stream] of Object.entries(streams)) {
    const method = name as 'log';
    const print = console[method].bind(console);
    console[method] = (...items) => {
      if (isWatched()) process[stream as 'stdout'].write(`${format(...items)}\n`);
      else print(...items);
    };
  }
}

/** Undefined = the stream says what is wrong with it. */
function bytesOf(
  chunk: unknown,
  encoding: BufferEncoding | Done | undefined,
): Uint8Array | undefined {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk !== 'string') return undefined;
  return Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8');
}
