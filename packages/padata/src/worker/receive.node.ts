/** One message of a port of Node's, without the event loop. */
import { receiveMessageOnPort } from 'worker_threads';
import type { MessagePort } from 'worker_threads';
import { UNREAD } from '../values/unread.js';

/** @returns the message; `UNREAD` = there was one and it could not be read; undefined = there was none */
export function receiveFrom(port: MessagePort): unknown {
  try {
    return receiveMessageOnPort(port)?.message as unknown;
  } catch {
    return UNREAD;
  }
}
