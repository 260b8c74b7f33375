/**
 * Brings 64-bit traces into the space of safe integers without changing what happens in them.
 *
 * What memblock does with addresses is: compare, add, subtract, round to an alignment. A mapping of
 * the values that keeps sums, order and the low bits therefore keeps the behaviour. It is built for
 * each scenario from the values that occur in it:
 *
 * ```
 *   64 bits   0 . small . . . . g . . . . . . 2g . . . . . . 2^64 - small . 2^64
 *   53 bits   0 . small . . . . g' . . . . .  2g' . . . . .  2^53 - small . 2^53
 * ```
 *
 * Every value is a sum of a few "anchors" (2^64, and others where the scenario has values far from
 * both ends) and a small rest. An anchor g becomes g / 2^11 with g's own low 32 bits; the rest stays
 * what it is. Scenarios without such values use only 2^64 -> 2^53: the difference from the top is kept.
 *
 * BigInt is used here to read the 64-bit words, and nowhere else.
 */

const TOP = 1n << 64n;
const OUR_TOP = 1n << 53n;
/** What counts as small: far more than sums of small values, far less than a mapped anchor. */
const SMALL = 1n << 44n;
/** Below this a value needs no mapping where no anchor does. */
const PLAIN = 1n << 52n;
const LOW_BITS = 32n;
const MAX_COEFFICIENT = 2;

interface Anchor {
  readonly value: bigint;
  readonly mapped: bigint;
}

/** A mapping of 64-bit words to safe integers for one scenario. */
export class Translation {
  private readonly anchors: Anchor[] = [{ value: TOP, mapped: OUR_TOP }];
  private readonly known = new Map<string, number>();
  /** Whether any value lies far from both ends. */
  readonly usesAnchors: boolean;

  /** @param words every hexadecimal word of the scenario */
  constructor(words: Iterable<string>) {
    const far: bigint[] = [];
    for (const word of words) {
      const value = BigInt(word);
      if (value >= PLAIN && value < TOP - PLAIN) far.push(value);
    }
    this.usesAnchors = far.length > 0;
    // Smallest first, so that multiples of an anchor are recognised as such.
    far.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    for (const value of far) {
      if (this.decompose(value) !== undefined) continue;
      const low = value & ((1n << LOW_BITS) - 1n);
      const mapped = (((value >> 11n) >> LOW_BITS) << LOW_BITS) + low;
      this.anchors.push({ value, mapped });
    }
  }

  /** Our number for a word. */
  toOurs(word: string): number {
    const known = this.known.get(word);
    if (known !== undefined) return known;
    const ours = this.mapValue(BigInt(word));
    this.known.set(word, ours);
    return ours;
  }

  /** Our page number for a page number: its address is mapped. */
  pageToOurs(word: string, pageSize: number): number {
    const address = BigInt(word) * BigInt(pageSize);
    return this.mapValue(address) / pageSize;
  }

  /** Text in which every word, and every decimal number of bytes, is replaced by ours as the kernel would print it. */
  textToOurs(text: string, print: (ours: number) => string): string {
    if (!this.usesAnchors) return text;
    return text
      .replace(/0x[0-9a-f]{16}/g, (word) => print(this.toOurs(word)))
      .replace(/\b(\d+)MB\b/g, (_all, mib: string) => {
        const bytes = BigInt(mib) << 20n;
        return `${Math.floor(this.mapValue(bytes) / 2 ** 20)}MB`;
      });
  }

  private mapValue(value: bigint): number {
    if (value < (this.usesAnchors ? SMALL : PLAIN)) return Number(value);
    const mapped = this.decompose(value);
    if (mapped === undefined) throw new RangeError(`0x${value.toString(16)} cannot be translated`);
    return Number(mapped);
  }

  /** The mapped value by the simplest sum of anchors that comes near; undefined where none does. */
  private decompose(value: bigint): bigint | undefined {
    const near = this.usesAnchors ? SMALL : PLAIN;
    let best: bigint | undefined;
    let bestTerms = Infinity;
    let bestRest = near;
    const visit = (index: number, rest: bigint, mapped: bigint, terms: number): void => {
      const anchor = this.anchors[index];
      if (anchor === undefined) {
        const distance = rest < 0n ? -rest : rest;
        if (distance >= near || terms > bestTerms) return;
        if (terms === bestTerms && distance >= bestRest) return;
        bestTerms = terms;
        bestRest = distance;
        best = mapped + rest;
        return;
      }
      for (let k = -MAX_COEFFICIENT; k <= MAX_COEFFICIENT; k++) {
        const times = BigInt(k);
        const left = rest - times * anchor.value;
        visit(index + 1, left, mapped + times * anchor.mapped, terms + Math.abs(k));
      }
    };
    visit(0, value, 0n, 0);
    return best;
  }
}

/** Every word of a scenario, wherever it stands. Names and parameters are left out. */
export function* wordsOf(value: unknown, key = ''): Generator<string, void, undefined> {
  if (typeof value === 'string') {
    if (/^0x[0-9a-fA-F]+$/.test(value) && !['name', 'param', 'seed', 'h', 'log'].includes(key)) {
      yield value;
    }
  } else if (Array.isArray(value)) {
    for (const item of value) yield* wordsOf(item, key);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) yield* wordsOf(item, name);
  }
}
