/** For parts-model.ts: the bytes of an arena that grows, as the owner gives them out, and as a thread sees them. Both are what ships. */
import { SlotArena } from '../../dist/arena/slot-arena.js';
import { ArenaParts } from '../../dist/protocol/arena-parts.js';
import type { Words } from '../../dist/protocol/atomic-ops.js';
import type { PartsConfig } from './parts-model.js';

/** A result of two words: both halves are the input. */
const OUT = 2;

/** Places, as the owner finds them; they depend on nothing but how many jobs were delivered and how many placed. */
export class Places {
  readonly arena: SlotArena;
  /** Where the parts end that were added. */
  readonly ends: number[] = [];
  readonly #config: PartsConfig;
  readonly #given: number[] = [];
  #tail = 0;

  constructor(config: PartsConfig, next: number, tail: number) {
    this.#config = config;
    const { first, window, inputs } = config;
    this.arena = new SlotArena(first);
    // The same searches again, those that found nothing too.
    for (let done = 0; ; done += 1) {
      while (this.#tail < inputs.length && this.#tail - done < window) {
        if (done === next && this.#tail === tail) return;
        if (this.place(this.#tail) < 0) break;
      }
      if (done === next) return;
      this.giveBack(done);
    }
  }

  /** This job is delivered. */
  giveBack(job: number): void {
    const given = this.#given[job]!;
    this.arena.delivered(given, false);
    this.arena.giveBack(given);
  }

  /** A place for this job, or -1; there may be one more part then. */
  place(job: number): number {
    const { inputs, parts, more, mistake } = this.#config;
    const { arena, ends } = this;
    const bytes = inputs[job]! + OUT;
    let first = arena.find(bytes);
    if (first < 0 && arena.mayGrow) {
      if (ends.length < parts) {
        // An arena that is told of nothing but its size has no border.
        if (mistake === 'a stretch lies in two parts') arena.bytes += more;
        else arena.extend(arena.bytes + more);
        ends.push(arena.bytes);
      } else arena.goOn();
      first = arena.find(bytes);
    }
    if (first < 0) return -1;
    arena.head = first + bytes;
    this.#given[job] = arena.take();
    this.#tail = job + 1;
    return first;
  }
}

/** The bytes that a thread sees. */
export class Sight {
  readonly parts: ArenaParts;
  readonly #words: Words;

  constructor({ first }: PartsConfig, words: Words) {
    this.#words = words;
    this.parts = new ArenaParts(new SharedArrayBuffer(first), 0, first);
  }

  add(end: number): void {
    const { end: first } = this.parts;
    this.parts.add({ first, buffer: new SharedArrayBuffer(end - first) });
  }

  /** Two values that begin at this address; -1 = there is none. */
  read(address: number): readonly [number, number] {
    const { end } = this.parts.at(address);
    const at = (i: number): number => (address + i < end ? this.#words[address + i]! : -1);
    return [at(0), at(1)];
  }

  write(address: number, values: readonly number[]): void {
    const { end } = this.parts.at(address);
    values.forEach((value, i) => {
      if (address + i < end) this.#words[address + i] = value;
    });
  }
}
