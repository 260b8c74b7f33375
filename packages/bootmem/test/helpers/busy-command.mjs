// Loaded into every thread of a program that a test has started (--import): the command's own thread computes for ever. The
// process tells the test when that has begun. With STUCK it cannot end the thread either, and tells when it heard a signal.
import { BroadcastChannel, isMainThread, Worker } from 'node:worker_threads';

const channel = new BroadcastChannel('busy');
if (isMainThread) {
  channel.unref();
  channel.onmessage = () => {
    channel.close();
    process.send('busy');
  };
  if (process.env.STUCK !== undefined) {
    Worker.prototype.terminate = () => new Promise(() => undefined);
    process.on(process.env.STUCK, () => process.send('heard'));
  }
} else {
  channel.postMessage('');
  channel.close();
  for (;;);
}
