// Preloaded into the command: tells the parent once standard input is being read, with its signal handlers in place.
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  const { stdin } = process;
  const on = stdin.on.bind(stdin);
  stdin.on = (event, listener) => {
    if (event === 'data') setImmediate(() => process.send('reading'));
    return on(event, listener);
  };
}
