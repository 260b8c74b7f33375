/**
 * Web streams over a series: the writable side waits for room, the readable side is the order.
 *
 * Back-pressure: results not yet read count against the window, so a slow reader stops the writer.
 */
import { abortReason } from '../../base/abort.js';
import type { SeriesTransform, StreamedJobs } from '../series-types.js';

/** A {writable, readable} pair: chunks in, results out, in order. */
export function makeTransform(series: StreamedJobs): SeriesTransform<unknown, unknown> {
  const limit = series.window;
  /** Submitted, and not among the results that wait to be read. */
  let inFlight = 0;
  let out!: ReadableStreamDefaultController<unknown>;
  let wake: (() => void) | undefined;
  let failure: { error: unknown } | undefined;
  const fail = (error: unknown): void => {
    failure ??= { error };
    wake?.();
    try {
      out.error(error);
    } catch {
      // Already closed or cancelled: nobody is left to tell.
    }
  };
  const readable = new ReadableStream<unknown>(
    {
      start(controller) {
        out = controller;
      },
      // A chunk was read, or more: how many wait, the stream itself knows.
      pull() {
        wake?.();
      },
      cancel(reason) {
        failure ??= { error: abortReason(reason) };
        wake?.();
      },
    },
    { highWaterMark: limit },
  );
  const isFull = (): boolean => inFlight >= (out.desiredSize ?? limit);
  const room = async (): Promise<void> => {
    while (failure === undefined && isFull()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    await series.room();
  };
  const writable = new WritableStream<unknown>(
    {
      async write(chunk) {
        await room();
        if (failure !== undefined) throw failure.error;
        try {
          series.submit(chunk, (error, value) => {
            inFlight -= 1;
            if (failure !== undefined) return;
            if (error === undefined) out.enqueue(value);
            else fail(error);
          });
        } catch (error) {
          // What ends the writing side ends the other too: nothing else would tell who reads.
          fail(error);
          throw error;
        }
        inFlight += 1;
      },
      async close() {
        await series.drain();
        if (failure === undefined) out.close();
      },
      abort(reason) {
        fail(abortReason(reason));
      },
    },
    { highWaterMark: 1 },
  );
  return { readable, writable };
}
