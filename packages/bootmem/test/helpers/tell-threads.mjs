// Loaded into every thread of a program that a test has started (--import): says when the first thread of a boot runs. The
// command's own thread starts it, and the process around both tells the test.
import { subscribe } from 'node:diagnostics_channel';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';

const channel = new BroadcastChannel('first thread');
channel.unref();
if (isMainThread) {
  channel.onmessage = () => {
    channel.close();
    process.send?.('thread');
  };
} else {
  subscribe('worker_threads', ({ worker }) => {
    worker.once('online', () => channel.postMessage(''));
  });
}
