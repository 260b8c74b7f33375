/** Stream faces of a series; the Node type is structural so that the package's types need no Node types. */
import type { Duplex } from 'node:stream';

/** A node:stream Duplex in Node; in browsers there is none. */
export type SeriesDuplex = Duplex;

/** A pair of Web streams, as `TransformStream` has. */
export interface SeriesTransform<I, R> {
  readonly writable: WritableStream<I>;
  readonly readable: ReadableStream<R>;
}

/** What the stream faces need of a series. */
export interface StreamedJobs {
  readonly window: number;
  submit(input: unknown, callback: (error: unknown, value: unknown) => void): boolean;
  room(): Promise<void>;
  drain(): Promise<void>;
}
