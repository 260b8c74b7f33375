/** Stream faces of a series in Node: a Duplex and the Web pair. */
import { Duplex } from 'node:stream';

import { abortReason } from '../../base/abort.js';
import { PadataError } from '../../base/errors.js';
import type { StreamedJobs } from '../series-types.js';

export { makeTransform } from './streams.web.js';

/**
 * A Duplex in object mode: what is written goes through the series, results come out in order. Writing
 * waits while the window is full or `window` results wait to be read. A job that fails, or gives null, ends it with
 * an error.
 */
export function makeDuplex(series: StreamedJobs): Duplex {
  let waiting: (() => void) | undefined;
  let full = false;
  const go = (): void => {
    const next = waiting;
    if (next === undefined || full) return;
    waiting = undefined;
    next();
  };
  const stream: Duplex = new Duplex({
    objectMode: true,
    readableHighWaterMark: series.window,
    writableHighWaterMark: 16,
    read() {
      full = false;
      go();
    },
    write(chunk: unknown, _encoding, done) {
      let more: boolean;
      try {
        more = series.submit(chunk, (error, value, seq) => {
          if (stream.destroyed) return;
          if (error !== undefined) stream.destroy(streamError(error));
          else if (value === null) stream.destroy(nullResult(seq));
          else if (!stream.push(value)) full = true;
        });
      } catch (error) {
        done(error as Error);
        return;
      }
      if (more && !full) {
        done();
        return;
      }
      waiting = done;
      void series.room().then(go);
    },
    final(done) {
      series.drain().then(() => {
        stream.push(null);
        done();
      }, done);
    },
  });
  return stream;
}

/** A stream that is destroyed with null ends without an error; a series may have been aborted with anything. */
function streamError(error: unknown): Error {
  return (error ?? abortReason(undefined)) as Error;
}

/** To a stream null is its end, so it can be nobody's result. */
function nullResult(seq: number): PadataError {
  return new PadataError(
    'ERR_PADATA_JOB_FAILED',
    `job ${seq} gave null, which a stream cannot carry: it means its end`,
    { seq },
  );
}
