/**
 * What a value costs by itself: the copies that take it to another thread, or there and back, made by this thread alone in the
 * cheapest way that is known here. No pool whose threads have memory of their own does with less, however it hands jobs over,
 * unless it knows a cheaper way for the copies themselves.
 *
 * The bytes in between are shared memory. Bytes are seen there by the function, and its result is a copy of the caller's own; text and
 * other arrays are made anew on each side. Plain data is written and read by this package's own form and as JSON text; JSON is
 * shown beside it. The rest is cloned by the platform.
 */
import { Buffer } from 'node:buffer';
import { plainRoom } from '../../../packages/padata/dist/values/object-names.js';
import { decodePlain, encodePlain } from '../../../packages/padata/dist/values/plain-codec.js';

/** The names of its rows. */
export const ALONE = 'the copies alone, one thread';
export const JSON_ALONE = 'JSON text alone, one thread';
/** It goes on for at least so long, and for so many copies. */
const LEAST_US = 20_000;
const LEAST_COPIES = 3;
/** Bytes of plain data are looked for in so much room at first. */
const FIRST_ROOM = 4096;

/** The copies of one way: to the function, and from it to the caller. */
interface Copies {
  readonly there: () => unknown;
  readonly back: () => unknown;
}
const alike = (copy: () => unknown): Copies => ({ there: copy, back: copy });

function textCopies(value: string): Copies {
  const encoding = /[^\0-\xff]/.test(value) ? 'utf16le' : 'latin1';
  const bytes = Buffer.from(new SharedArrayBuffer(Buffer.byteLength(value, encoding)) as never);
  return alike(() => {
    bytes.write(value, encoding);
    return bytes.toString(encoding);
  });
}

function bytesCopies(value: Uint8Array): Copies {
  const shared = new Uint8Array(new SharedArrayBuffer(value.length));
  return {
    there: () => {
      shared.set(value);
      return shared;
    },
    back: () => new Uint8Array(shared),
  };
}

function floatsCopies(value: Float64Array): Copies {
  const shared = new Float64Array(new SharedArrayBuffer(value.byteLength));
  return alike(() => {
    shared.set(value);
    return new Float64Array(shared);
  });
}

function ownFormCopies(value: unknown): Copies {
  let room = plainRoom(FIRST_ROOM);
  while (encodePlain(value, room, 0, room.text.length) < 0) room = plainRoom(room.text.length * 2);
  return alike(() => {
    encodePlain(value, room, 0, room.text.length);
    return decodePlain(room, 0);
  });
}

const jsonCopies = (value: unknown): Copies =>
  alike(() => JSON.parse(JSON.stringify(value)) as unknown);

/** Can JSON say all of it? The benchmark's own values are meant, which have no `toJSON`. */
export function isPlainData(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}

/** Ways of copying a value; the cheapest counts. */
function waysOf(value: unknown): Copies[] {
  if (typeof value === 'string') return [textCopies(value)];
  if (value instanceof Uint8Array) return [bytesCopies(value)];
  if (value instanceof Float64Array) return [floatsCopies(value)];
  if (isPlainData(value)) return [ownFormCopies(value), jsonCopies(value)];
  return [alike(() => structuredClone(value))];
}

/**
 * @param ways 1 = there, 2 = there and back
 * @returns microseconds of CPU, of the whole process, for the copies of one job
 */
export function copiedAloneUs(value: unknown, ways: number): number {
  return Math.min(...waysOf(value).map((copies) => costUs(copies, ways)));
}

/** The same by JSON text, without the copies of the text itself; of plain data alone. */
export function jsonAloneUs(value: unknown, ways: number): number {
  return costUs(jsonCopies(value), ways);
}

function costUs({ there, back }: Copies, ways: number): number {
  let kept: unknown;
  let jobs = 0;
  let lump = LEAST_COPIES;
  const start = process.cpuUsage();
  for (;;) {
    for (let i = 0; i < lump; i += 1) {
      kept = there();
      if (ways > 1) kept = back();
    }
    jobs += lump;
    const { user, system } = process.cpuUsage(start);
    if (user + system >= LEAST_US) return kept === undefined ? NaN : (user + system) / jobs;
    lump *= 2;
  }
}
