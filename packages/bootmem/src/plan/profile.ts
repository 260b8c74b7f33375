/**
 * Which kernel release is followed, and what it does: the tables of all packages, chosen by one text.
 *
 * ```text
 *  --profile ─┐
 *             ├▶ chooseRelease ─ "6.12.100-amd64" ─▶ kernelOf ─▶ memblock, pages, buddy, printed
 *  the log ───┘                                                  (each: its package's table)
 * ```
 * `boot`, `check` and `replay` all come by here, so they cannot differ in it.
 */
import { profileForRelease as buddyProfile } from '@bootmem/buddy-allocator/zones';
import type { KernelProfile } from '@bootmem/buddy-allocator/zones';
import type { MachineDescription } from '@bootmem/firmware-map';
import { profileForRelease as memblockProfile } from '@bootmem/memblock';
import type { MemblockProfile } from '@bootmem/memblock';
import { parseRelease } from '@bootmem/memmap/releases';
import { profileForRelease as pageInitProfile } from '@bootmem/page-init';
import type { PageInitProfile } from '@bootmem/page-init';
import { BootmemError } from '../errors.js';
import { profileForRelease as printedProfile } from './releases.js';
import type { PrintedProfile } from './releases.js';

/** A profile that names a release. */
const PROFILE = /^\d{1,5}\.\d{1,5}(\.\d{1,5})?$/;

/** What a profile may be, for messages. */
const PROFILE_HELP = 'auto, latest or a kernel release such as 6.12';

/** What a machine's kernel does: its release's row of every package's table. */
export interface KernelBehaviour {
  /** What was asked for or read from the log, `undefined` for the newest known. */
  readonly release: string | undefined;
  readonly memblock: MemblockProfile;
  readonly pages: PageInitProfile;
  readonly buddy: KernelProfile;
  readonly printed: PrintedProfile;
}

/** The behaviour of a release. */
export function kernelOf(release: string | undefined): KernelBehaviour {
  return {
    release,
    memblock: memblockProfile(release),
    pages: pageInitProfile(release),
    buddy: buddyProfile(release),
    printed: printedProfile(release),
  };
}

/**
 * The release to follow.
 * @param asked        `auto`: the log's; `latest`: the newest known; else `MAJOR.MINOR`
 * @param description  the machine
 * @returns a text that every package's table takes; `undefined` for the newest known
 * @throws BootmemError ERR_BOOTMEM_USAGE for any other text
 */
export function chooseRelease(asked: string, description: MachineDescription): string | undefined {
  if (asked === 'auto') return description.kernel?.release;
  if (asked === 'latest') return undefined;
  if (PROFILE.test(asked)) return asked;
  throw new BootmemError('ERR_BOOTMEM_USAGE', `profile must be ${PROFILE_HELP}, got '${asked}'`, {
    profile: asked,
  });
}

/** A release as reports name it: `6.12`, before 3.0 `2.6.39`; `latest` for the newest known. */
export function releaseName(release: string | undefined): string {
  const numbers = parseRelease(release);
  if (numbers === undefined) return 'latest';
  return numbers.slice(0, numbers[0] < 3 ? 3 : 2).join('.');
}
