/**
 * The face for reading: bytes or text in, one {@link MachineDescription} out.
 *
 * Memory is bounded by one line plus the records of at most two boots, whatever the input's length. Nothing in an
 * input makes a reader throw.
 *
 * An input may hold several boots. `boot` chooses one; without it, the last boot that says where memory is.
 */
import { FirmwareMapError } from '../base/errors.js';
import type { ReadResult } from '../base/read-result.js';
import { inTurns, STEP_CHARACTERS, turn } from '../base/steps.js';
import type { ReadOptions } from './read-options.js';
import { StreamReader } from './stream-reader.js';

/** Pieces of an input. */
export type Chunks =
  string | Uint8Array | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** Incremental reader. */
export interface Reader {
  /**
   * Takes the next piece.
   * @throws ERR_FIRMWARE_MAP_CHUNK   when it is neither text nor bytes
   * @throws ERR_FIRMWARE_MAP_FINISHED after `finish`
   */
  push(chunk: string | Uint8Array): void;
  /**
   * Ends the input.
   * @throws ERR_FIRMWARE_MAP_FINISHED when called twice
   */
  finish(): ReadResult;
}

/**
 * Makes a reader to be fed piece by piece.
 * @throws ERR_FIRMWARE_MAP_OPTION when `boot` is neither `'last'` nor an integer from 0
 */
export function createReader(options: ReadOptions = {}): Reader {
  return streamReader(options);
}

function streamReader(options: ReadOptions): StreamReader {
  const { boot = 'last' } = options;
  if (boot !== 'last' && (!Number.isSafeInteger(boot) || boot < 0)) {
    throw new FirmwareMapError(
      'ERR_FIRMWARE_MAP_OPTION',
      "boot: expected 'last' or an integer from 0",
      { boot },
    );
  }
  return new StreamReader(options);
}

/**
 * Reads an input that is in memory.
 * @remarks Linear in the input. Never throws on content.
 */
export function parseDescription(
  input: string | Uint8Array,
  options: ReadOptions = {},
): ReadResult {
  const reader = createReader(options);
  reader.push(input);
  return reader.finish();
}

/**
 * Reads an input as a stream, in memory that does not grow with it, and with turns of the event loop in between, however much of
 * it lies ready.
 * @param chunks  text, bytes, or an (async) iterable of them; a Node read stream fits
 * @throws what the iterable throws, and the signal's reason; nothing for any content
 */
export async function readDescription(
  chunks: Chunks,
  options: ReadOptions = {},
): Promise<ReadResult> {
  const { signal } = options;
  const reader = streamReader(options);
  let taken = 0;
  const isWhole = typeof chunks === 'string' || ArrayBuffer.isView(chunks);
  for await (const chunk of isWhole ? [chunks] : chunks) {
    for (const piece of piecesOf(chunk)) {
      await inTurns(reader.takeSteps(piece), signal);
      taken += piece.length;
      if (taken < STEP_CHARACTERS) continue;
      taken = 0;
      await turn();
      signal?.throwIfAborted();
    }
  }
  return await inTurns(reader.finishSteps(), signal);
}

/** What is read between two turns; a chunk that is none is passed on, to be refused. */
function* piecesOf(chunk: string | Uint8Array): Generator<string | Uint8Array> {
  if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) yield chunk;
  else {
    for (let at = 0; at < chunk.length; at += STEP_CHARACTERS) {
      const end = at + STEP_CHARACTERS;
      yield typeof chunk === 'string' ? chunk.slice(at, end) : chunk.subarray(at, end);
    }
  }
}
