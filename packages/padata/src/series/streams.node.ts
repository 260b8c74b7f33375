/** Stream faces of a series in Node: a Duplex and the Web pair. */
import { Duplex } from 'node:stream';

import type { StreamedJobs } from './series-types.js';

export { makeTransform } from './streams.web.js';

/**
 * A Duplex in object mode: what is written goes through the series, results come out in order. Writing
 * waits while the window is full or `window` results wait to be read.
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
        more = series.submit(chunk, (error, value) => {
          if (stream.destroyed) return;
          if (error !== undefined) stream.destroy(error as Error);
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
