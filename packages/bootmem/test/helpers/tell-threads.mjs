// Loaded before a program that a test has started (--import): says when its first thread runs.
import { subscribe } from 'node:diagnostics_channel';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  subscribe('worker_threads', ({ worker }) => {
    worker.once('online', () => process.send?.('thread'));
  });
}
