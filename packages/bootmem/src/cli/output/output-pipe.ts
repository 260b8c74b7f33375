/**
 * Writing to a pipe with a name. A thread of the system that waits for its reader could not be called back, so it is opened
 * without waiting, again and again, and written to by the event loop.
 */
import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { codeOf } from '../../errors.js';

/** How long it is until a reader is looked for again, milliseconds. */
const AGAIN_MS = 50;

/**
 * Writes a text, as soon as somebody reads.
 * @param path    a pipe
 * @param signal  ends the waiting
 * @throws the signal's reason; an error of the system, such as EPIPE when the reader leaves
 */
export async function writePipe(path: string, text: string, signal: AbortSignal): Promise<void> {
  const socket = new Socket({
    fd: await openedPipe(path, signal),
    readable: false,
    writable: true,
  });
  try {
    socket.end(text);
    await finished(socket, { readable: false, signal });
  } finally {
    socket.destroy();
  }
}

async function openedPipe(path: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      // Nobody reads it yet.
      if (codeOf(error) !== 'ENXIO') throw error;
    }
    await setTimeout(AGAIN_MS, undefined, { signal });
  }
}
