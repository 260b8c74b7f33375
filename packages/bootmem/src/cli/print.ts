/**
 * Prints results that may be long, a piece at a time: between two of them timers, other work and the signal have their turn, and
 * who writes to a pipe gets something to do.
 */
import { turn } from '@bootmem/firmware-map/derive';
import { jsonPieces } from '../format/exports/json-pieces.js';
import type { CommandIo } from './io.js';

/** Characters of a piece of text, and what is left of its last line. */
const PIECE_LENGTH = 2 ** 16;

/**
 * Prints a value as one line of JSON.
 * @throws the signal's reason
 */
export async function printJson(io: CommandIo, value: unknown): Promise<void> {
  for (const piece of jsonPieces(value)) {
    io.out(piece);
    await pause(io);
  }
  io.out('\n');
}

/**
 * Prints text.
 * @throws the signal's reason
 */
export async function printText(io: CommandIo, text: string): Promise<void> {
  for (let at = 0; at < text.length;) {
    // Whole lines: no sequence of colours is cut in two.
    const end = text.indexOf('\n', at + PIECE_LENGTH) + 1;
    const to = end === 0 ? text.length : end;
    io.out(text.slice(at, to));
    at = to;
    if (at < text.length) await pause(io);
  }
}

async function pause({ signal }: CommandIo): Promise<void> {
  await turn();
  signal.throwIfAborted();
}
