/**
 * The thread that a command runs in. What it prints goes to the process around it; a signal comes from there.
 */
import { Writable } from 'node:stream';
import { parentPort, workerData } from 'node:worker_threads';
import { createColors } from '../../format/colors.js';
import { main } from '../program.js';
import { PIECE_LENGTH } from './messages.js';
import type { CommandSettings, FromCommand, ToCommand } from './messages.js';

const port = parentPort!;
const settings = workerData as CommandSettings;
const abort = new AbortController();

function say(message: FromCommand): void {
  port.postMessage(message);
}

function print(kind: 'out' | 'err', text: string): void {
  for (let at = 0; at < text.length; at += PIECE_LENGTH) {
    say({ kind, text: text.slice(at, at + PIECE_LENGTH) });
  }
}

port.on('message', (message: ToCommand) => {
  if (message === 'interrupt') abort.abort();
  if (typeof message === 'object') {
    // An error of the stream for whoever reads it, of nobody where nobody does.
    process.stdin.on('error', () => undefined);
    process.stdin.destroy(new Error(message.unreadable));
  } else say({ kind: 'here' });
});
// Listening alone keeps no thread alive.
port.unref();

const errStream = new Writable({
  decodeStrings: false,
  write(text: string, _encoding, done) {
    print('err', text);
    done();
  },
});

const code = await main(settings.args, {
  out: (text) => {
    print('out', text);
  },
  err: (text) => {
    print('err', text);
  },
  outIsTerminal: settings.outIsTerminal,
  columns: settings.columns,
  errIsTerminal: settings.errIsTerminal,
  errStream: Object.assign(errStream, { columns: settings.errColumns }),
  colors: createColors(settings.colors),
  signal: abort.signal,
  env: process.env,
});
say({ kind: 'end', code });
