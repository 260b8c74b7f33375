/**
 * What a recogniser of log records is: a piece of text that its lines must hold (so that the reader can skip all
 * other lines with one search), and a function that reads one line.
 */
import type { Draft } from './draft.js';
import type { ZoneName } from '../types/all.js';

/**
 * What became of a line.
 *  - `taken`     it was a record (or a broken one, which was reported)
 *  - `partial`   it begins a record but does not end one: the tail may be on the next line
 *  - `undefined` it is not this recogniser's
 */
export type Outcome = 'taken' | 'partial' | undefined;

/** Reads one kind of record. */
export interface Recogniser {
  /** Source of a regular expression that every line of this kind matches. */
  readonly hint: string;
  /**
   * Reads a cleaned line. `final`: no more text will come, so a record that lost its tail is taken as it is or
   * given up.
   */
  readonly read: (text: string, draft: Draft, line: number, final: boolean) => Outcome;
}

/** A recogniser of one pattern: the handler gets the match. */
export function onMatch(
  hint: string,
  pattern: RegExp,
  handle: (match: RegExpExecArray, draft: Draft, line: number) => void,
  begun?: RegExp,
): Recogniser {
  return {
    hint,
    read(text, draft, line) {
      const match = pattern.exec(text);
      if (match !== null) {
        handle(match, draft, line);
        return 'taken';
      }
      return begun?.test(text) === true ? 'partial' : undefined;
    },
  };
}

/** Text of a range as all kernels since 3.5 print it; two groups. */
export const MEM = String.raw`\[mem (?:0x)?([0-9a-f]+)-(?:0x)?([0-9a-f]+)\]`;

const ZONES: Readonly<Record<string, ZoneName>> = {
  DMA: 'DMA',
  DMA32: 'DMA32',
  Normal: 'Normal',
  HighMem: 'HighMem',
  Movable: 'Movable',
  Device: 'Device',
};

/** Alternatives of a zone name in a regular expression. */
export const ZONE = 'DMA32|DMA|Normal|HighMem|Movable|Device';

/** The zone of that name; only for text that {@link ZONE} matched. */
export function zoneName(text: string): ZoneName {
  return ZONES[text]!;
}
