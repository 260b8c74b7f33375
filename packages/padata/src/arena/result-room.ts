/**
 * How much room results lately wanted beyond what the options say: learned from those that had to come by message. One of
 * many is an exception and changes nothing; two of the last eight are a habit. What is not used any more goes back by
 * sixteenths.
 */
import { encodePlainAside } from '../values/slot-values.js';
import { viewRoom } from '../values/views.js';
import { bytesOf, formOf } from '#text';

/** Results that are longer go by message, in bytes. */
const MOST = 32 << 20;
/** After a result that no room would have helped, so many are not looked at; twice as many each time. */
const FIRST_SKIP = 8;
const MOST_SKIP = 4096;

/** What one ring has learned. */
export class ResultRoom {
  /** Bytes that each result gets at least; 0 = what the options say. */
  bytes = 0;
  /** It is to be told of results that had room. A field: every number that is delivered asks. */
  isWatching = false;
  /** Bit n: the n-th last result had no room. */
  #recent = 0;
  #skip = 0;
  #nextSkip = FIRST_SKIP;

  /** A result of so many bytes had room. */
  fitted(length: number): void {
    this.#recent = (this.#recent << 1) & 0xff;
    if (length * 2 < this.bytes) this.bytes -= (this.bytes >> 4) + 8;
    if (this.bytes < 0) this.bytes = 0;
    this.#look();
  }

  /** This result came by message. */
  missed(value: unknown): void {
    if (this.#skip > 0) {
      this.#skip -= 1;
      return;
    }
    const isHabit = this.#recent !== 0;
    this.#recent = ((this.#recent << 1) | 1) & 0xff;
    if (isHabit) this.#learn(value);
    this.#look();
  }

  #look(): void {
    this.isWatching = this.#recent !== 0 || this.bytes > 0;
  }

  #learn(value: unknown): void {
    const bytes = sizeOf(value);
    if (bytes === undefined) {
      this.#recent = 0;
      this.#skip = this.#nextSkip;
      this.#nextSkip = Math.min(MOST_SKIP, this.#nextSkip * 2);
    } else {
      this.#nextSkip = FIRST_SKIP;
      this.bytes = Math.min(MOST, Math.max(this.bytes, bytes + (bytes >> 3)));
    }
  }
}

/** Bytes that this value takes in a slot; undefined = it has to go by message in any case. */
function sizeOf(value: unknown): number | undefined {
  if (typeof value === 'string') return within(bytesOf(value, formOf(value)));
  if (typeof value !== 'object' || value === null) return undefined;
  if (ArrayBuffer.isView(value)) return within(viewRoom(value));
  const plain = encodePlainAside(value);
  return typeof plain === 'number' ? undefined : plain.length;
}

function within(bytes: number): number | undefined {
  return bytes >= 0 && bytes <= MOST ? bytes : undefined;
}
