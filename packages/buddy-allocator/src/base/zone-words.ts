/** The words of a zone that are written once, when it is created. */
import { Zone } from './control-layout.js';

const TWO_32 = 2 ** 32;

/** Fixed facts of a zone, as written at creation. */
interface ZoneFacts {
  readonly startPfn: number;
  readonly endPfn: number;
  readonly presentPages: number;
  readonly zoneId: number;
}

/** Writes the constant words of a new zone. */
export function initZoneWords(words: Int32Array, at: number, facts: ZoneFacts): void {
  words[at + Zone.ID] = facts.zoneId;
  words[at + Zone.START_LOW] = facts.startPfn | 0;
  words[at + Zone.START_HIGH] = Math.floor(facts.startPfn / TWO_32);
  words[at + Zone.END_LOW] = facts.endPfn | 0;
  words[at + Zone.END_HIGH] = Math.floor(facts.endPfn / TWO_32);
  words[at + Zone.PRESENT] = facts.presentPages;
  words[at + Zone.BATCH] = 1;
}
