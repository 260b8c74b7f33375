/**
 * The end of one stage: what the next one (a kernel after kexec, a program that takes the memory over) must accept, as a
 * table, and nothing that was accepted already.
 *
 * ```text
 * stop      set the word ──▶ no new work begins, in any thread
 * quiesce   wait until nobody announces work; who has ended does not count
 * finish    units of which only pieces are prepared are completed: a bit stands for a whole unit
 * unshare   shared units become private at the host, unaccepted: the guest's side is dropped
 * write     bit = 1: unaccepted, or shared until now
 * ```
 * Without the stop a unit that a thread is inside of would be in the table and accepted a moment later: twice.
 *
 * A unit whose accept was interrupted (its thread died, its call failed) on a platform that may not repeat it has no
 * right bit: as accepted it might be touched without being so, as unaccepted it might be accepted twice. It stands as
 * unaccepted and is named, for the caller to keep out of the next stage's map. One that was left half converted is made
 * shared once more, and is then as unaccepted as the others.
 */
import { waitSlice } from '@bootmem/memmap/shared';
import { TABLE_HEADER_BYTES } from '../base/constants.js';
import { AcceptError } from '../base/errors.js';
import type { UnitRange } from '../table/unit-range.js';
import { anyBit, forEachWord } from './bitmap.js';
import { WORD } from './layout.js';
import type { StateViews } from './layout.js';
import type { Participants } from './participants.js';
import type { UnitStates } from './unit-states.js';

const { compareExchange, load, store } = Atomics;
/** Between two looks for threads that have ended. */
const PROOF_MS = 20;

/** Value of the word once the next stage has the table; before, 0 or the tag of the thread that stops the others. */
const DONE = -1;

/** What the hand-over is made of. */
export interface HandOverParts {
  readonly views: StateViews;
  readonly participants: Participants;
  readonly states: UnitStates;
  /** Completes a begun unit; called when nobody else is at work. Absent where a piece may be prepared twice. */
  readonly finish: ((unit: number) => void) | undefined;
  /** The platform's part of conversion. */
  readonly change: (units: UnitRange, to: 'shared' | 'unaccepted') => void;
}

/** A copy of the table: unaccepted units, and shared ones, which count as that. */
export function copyTable({ buffer, layout, header, shared, transit }: StateViews): Uint8Array {
  const copy = new Uint8Array(TABLE_HEADER_BYTES + header.bitmapBytes);
  copy.set(new Uint8Array(buffer, layout.tableBytes, copy.length));
  forEachWord(0, layout.unitCount, (word) => {
    const open = load(shared, word) | load(transit, word);
    for (let byte = 0; byte < 4 && open !== 0; byte += 1) {
      const at = TABLE_HEADER_BYTES + word * 4 + byte;
      if (at < copy.length) copy[at]! |= (open >>> (byte * 8)) & 0xff;
    }
    return false;
  });
  return copy;
}

/**
 * Stops all work for good and makes the next stage's table.
 * @param parts  the state
 * @param id     the calling thread
 * @returns the table, and the units in doubt
 * @throws ERR_ACCEPT_CLOSED when it was handed over before, or another living thread is doing so
 * @throws ERR_ACCEPT_REENTRANT from inside this thread's backend
 * @throws ERR_ACCEPT_TIMEOUT when a thread that is not known to have ended stays inside its work; all goes on as before
 * @throws ERR_ACCEPT_FAILED when the platform refuses; the state stays stopped, and the call may be repeated
 */
export function handOver(
  parts: HandOverParts,
  id: number,
): { readonly table: Uint8Array; readonly inDoubt: readonly UnitRange[] } {
  const { views, participants } = parts;
  if (participants.announcements.of(id) !== undefined) {
    throw new AcceptError('ERR_ACCEPT_REENTRANT', 'the backend asked for a hand-over', { id });
  }
  stop(views, participants, id);
  quiesce(views, participants);
  const inDoubt = settleBegun(parts);
  forEachRun(views, (units, doubtful) => {
    // Half converted it may be accepted already: only what was shared is unaccepted for certain.
    if (doubtful) parts.change(units, 'shared');
    parts.change(units, 'unaccepted');
  });
  const table = copyTable(views);
  store(views.words, WORD.HANDED_OVER, DONE);
  return { table, inDoubt };
}

function stop({ words }: StateViews, participants: Participants, id: number): void {
  const seen = load(words, WORD.HANDED_OVER);
  const mine = participants.tag(id);
  const free = seen === 0 || (seen !== DONE && (seen === mine || participants.proveEnded(seen)));
  if (free && compareExchange(words, WORD.HANDED_OVER, seen, mine) === seen) return;
  throw new AcceptError('ERR_ACCEPT_CLOSED', 'the state was handed over to the next stage');
}

/** Waits until no living thread announces anything. */
function quiesce({ words }: StateViews, participants: Participants): void {
  const { announcements, count } = participants;
  const limit = load(words, WORD.WAIT_LIMIT_MS);
  let waited = 0;
  for (let id = 1; id <= count;) {
    // Pairs with `enter` and `leave`: who announced before the word was set is seen here, and signals when it ends.
    const seen = load(words, WORD.EVENT);
    const found = announcements.of(id);
    if (found === undefined) {
      id += 1;
      continue;
    }
    if (participants.proveEnded(found.tag)) continue;
    if (waited >= limit) {
      store(words, WORD.HANDED_OVER, 0);
      throw new AcceptError(
        'ERR_ACCEPT_TIMEOUT',
        `participant ${id} did not finish its work within ${limit} ms`,
        { participant: id, limit },
      );
    }
    const before = performance.now();
    waitSlice(words, WORD.EVENT, seen, Math.min(PROOF_MS, limit - waited));
    waited += Math.min(PROOF_MS, performance.now() - before);
  }
}

/** Completes units that were begun; those that nobody may complete are in doubt. */
function settleBegun({ views, states, finish }: HandOverParts): UnitRange[] {
  const { bits, claims, layout } = views;
  const { cellsPerUnit, unitCount } = layout;
  const inDoubt: { start: number; end: number }[] = [];
  if (finish === undefined) return inDoubt;
  forEachWord(0, unitCount, (word) => {
    const first = word * 32;
    const end = Math.min(unitCount, first + 32);
    // Most of a large table was accepted as a whole, or never begun.
    if (load(bits, word) === 0 || !anyBit(claims, first * cellsPerUnit, end * cellsPerUnit)) {
      return false;
    }
    for (let unit = first; unit < end; unit += 1) {
      if (!states.isBegun(unit)) continue;
      if (states.of(unit) !== 'interrupted') {
        finish(unit);
        continue;
      }
      const last = inDoubt.at(-1);
      if (last?.end === unit) last.end += 1;
      else inDoubt.push({ start: unit, end: unit + 1 });
    }
    return false;
  });
  return inDoubt;
}

/** Calls `visit` for every run of units that are shared, and of those that were left half converted. */
function forEachRun(
  { shared, transit, layout }: StateViews,
  visit: (units: UnitRange, doubtful: boolean) => void,
): void {
  let start = 0;
  let kind = 0;
  const close = (unit: number, next: number): void => {
    if (kind !== 0 && next !== kind) visit({ start, end: unit }, kind === 2);
    if (next !== kind) start = unit;
    kind = next;
  };
  forEachWord(0, layout.unitCount, (word) => {
    const [isShared, inTransit] = [load(shared, word), load(transit, word)];
    const end = Math.min(layout.unitCount, word * 32 + 32);
    if ((isShared | inTransit) === 0) close(word * 32, 0);
    else {
      for (let unit = word * 32; unit < end; unit += 1) {
        const doubtful = ((inTransit >>> (unit % 32)) & 1) === 1;
        close(unit, doubtful ? 2 : (isShared >>> (unit % 32)) & 1);
      }
    }
    return false;
  });
  close(layout.unitCount, 0);
}
