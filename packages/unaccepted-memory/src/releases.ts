/**
 * Where kernel releases differ in what a request means, as data.
 * Source: behaviour of the releases, v6.5 (the first with unaccepted memory) to v7.1.
 */
import { byRelease, type ReleaseTable } from '@bootmem/memmap/releases';

/** What a kernel release does, as far as releases differ. */
export interface AcceptProfile {
  /** The newest release whose changes are in it, for example `7.0`. */
  readonly release: string;
  /** A request is widened to whole pages first; before, an end just short of a unit boundary lost its guard. */
  readonly pageAlign: boolean;
}

/** What each release changed. */
export const RELEASES: ReleaseTable<Omit<AcceptProfile, 'release'>> = [
  // Unaccepted memory came with 6.5.
  { since: '2.6.32', pageAlign: false },
  // accept_memory and range_contains_unaccepted_memory align both ends of what they are given.
  { since: '7.0', pageAlign: true },
];

const choose = byRelease(RELEASES);

/**
 * What a kernel release does.
 * @param release  as `uname -r` prints it; any text that begins with a `MAJOR.MINOR` will do
 * @returns what all rows of the table up to it add up to; the newest where no number is found, the first row
 *   for anything older
 */
export function profileForRelease(release?: string): AcceptProfile {
  return choose(release);
}
