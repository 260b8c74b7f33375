/**
 * What jobs print, from a thread whose event loop mostly stands still.
 *
 * A worker's stdout and stderr hand a piece to the owner's thread and keep the rest until that asks for more, which
 * only an event loop hears. So the thread's loop has to know that something is left: a write is pending from its
 * beginning until its callback, which comes when the owner's thread has taken it.
 */
import { WORKER, workerBase } from '../protocol/control-layout.js';
import type { ThreadOutput } from '../loop/worker-host.js';

type Done = (error?: Error | null) => void;

/**
 * Watches what this thread prints.
 * @param words control words of the pool
 * @param id    worker of this thread
 */
export function watchOutput(words: Int32Array, id: number): ThreadOutput {
  const at = workerBase(id) + WORKER.OUTPUT;
  const streams = [process.stdout, process.stderr];
  let pending = 0;
  const begin = (): void => {
    pending += 1;
    // Before the job that prints is done: whoever sees its result, sees this.
    Atomics.store(words, at, pending);
  };
  const end = (): void => {
    pending -= 1;
    Atomics.store(words, at, pending);
    if (pending === 0) output.onTaken?.();
  };
  const output: ThreadOutput = {
    get isPending() {
      return pending > 0;
    },
    get bytes() {
      return process.stdout.writableLength + process.stderr.writableLength;
    },
    onTaken: undefined,
  };
  for (const stream of streams) {
    const write = stream.write.bind(stream) as (
      chunk: unknown,
      encoding: BufferEncoding | undefined,
      done: Done,
    ) => boolean;
    const watched = (chunk: unknown, encoding?: BufferEncoding | Done, done?: Done): boolean => {
      const told = typeof encoding === 'function' ? encoding : done;
      begin();
      try {
        return write(chunk, typeof encoding === 'string' ? encoding : undefined, (error) => {
          end();
          told?.(error);
        });
      } catch (error) {
        end();
        throw error;
      }
    };
    stream.write = watched;
  }
  return output;
}
