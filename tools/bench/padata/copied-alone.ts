/**
 * What a value costs by itself: the copies that take it to another thread, or there and back, made by this thread alone with what
 * the platform has for them. No pool whose threads have memory of their own does with less, however it hands jobs over.
 */
import { Buffer } from 'node:buffer';

/** The name of its row. */
export const ALONE = 'the copies alone, one thread';
/** It goes on for at least so long, and for so many copies. */
const LEAST_US = 20_000;
const LEAST_COPIES = 3;

const isText = (value: unknown): value is string => typeof value === 'string';

/** One copy: text as bytes and back, plain data as JSON text and back, the rest as the platform clones it. */
function copier(value: unknown): () => unknown {
  if (isText(value)) {
    const encoding = /[^\0-\xff]/.test(value) ? 'utf16le' : 'latin1';
    const bytes = Buffer.alloc(Buffer.byteLength(value, encoding));
    return () => {
      bytes.write(value, encoding);
      return bytes.toString(encoding);
    };
  }
  if (value instanceof Uint8Array) return () => value.slice();
  if (isPlainData(value)) return () => JSON.parse(JSON.stringify(value)) as unknown;
  return () => structuredClone(value);
}

function isPlainData(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}

/**
 * @param ways 1 = there, 2 = there and back
 * @returns microseconds of CPU, of the whole process, for as many copies
 */
export function copiedAloneUs(value: unknown, ways: number): number {
  const copy = copier(value);
  let kept: unknown;
  let copies = 0;
  let lump = LEAST_COPIES;
  const start = process.cpuUsage();
  for (;;) {
    for (let i = 0; i < lump; i += 1) kept = copy();
    copies += lump;
    const { user, system } = process.cpuUsage(start);
    if (user + system >= LEAST_US)
      return kept === undefined ? NaN : (ways * (user + system)) / copies;
    lump *= 2;
  }
}
