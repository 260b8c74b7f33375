/**
 * What one job has written to its standard streams, up to a number of bytes: the first, because an error says what is wrong at its
 * beginning more often than at its end.
 */

import type { JobOutput } from '../protocol/messages.js';

/** Standard streams by number, as in `JobOutput`. */
export type StreamNumber = 0 | 1;

const CONTINUATION = 0x80;

/** Keeps the output of one job. */
export class OutputKeeper {
  /** What is written now belongs to the job no more. */
  isClosed = false;
  #left: number;
  #truncated = false;
  readonly #parts: [Uint8Array[], Uint8Array[]] = [[], []];

  /** @param maxBytes of both streams together, in UTF-8 */
  constructor(maxBytes: number) {
    this.#left = maxBytes;
  }

  /** @param bytes are kept: the writer's own may change */
  add(stream: StreamNumber, bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#truncated) {
      this.#truncated ||= bytes.length > 0;
      return;
    }
    let end = bytes.length;
    if (end > this.#left) {
      this.#truncated = true;
      end = this.#left;
      // No character is cut in two.
      while (end > 0 && (bytes[end]! & 0xc0) === CONTINUATION) end -= 1;
    }
    this.#left -= end;
    // Not `slice`, which a Buffer takes for a view.
    if (end > 0) this.#parts[stream].push(Uint8Array.from(bytes.subarray(0, end)));
  }

  /** What was kept; undefined = nothing was written. */
  close(): JobOutput | undefined {
    this.isClosed = true;
    const [stdout, stderr] = this.#parts.map(textOf) as [string, string];
    const truncated = this.#truncated;
    if (stdout === '' && stderr === '' && !truncated) return undefined;
    return { stdout, stderr, truncated };
  }
}

function textOf(parts: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return parts.map((part) => decoder.decode(part, { stream: true })).join('') + decoder.decode();
}
