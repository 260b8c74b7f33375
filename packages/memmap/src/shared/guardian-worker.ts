/**
 * The guardian's own thread (thread-guardian.ts): a port that closes says that the thread which held the other end has
 * ended, whoever else is busy.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';

import { makeThreadProtocol } from './thread-protocol.js';

/** What the guardian is told of a thread. */
export interface Watched {
  readonly port: MessagePort;
  /** Names the thread, and nobody who has its id later. */
  readonly tag: number;
}

const protocol = makeThreadProtocol(Atomics);
const words = workerData as Int32Array;

parentPort!.on('message', ({ port, tag }: Watched) => {
  port.on('close', () => {
    protocol.markEnded(words, tag);
  });
  // A port that listens to nothing does not hear that it is closed.
  port.on('message', () => undefined);
});
parentPort!.postMessage('ready');
