/** The tables of all packages from kernel release to behaviour, and how they are written down side by side. */
import {
  RELEASES as buddy,
  profileForRelease as buddyOf,
} from '../../../buddy-allocator/dist/marks/profile.js';
import {
  RELEASES as firmwareMap,
  profileForRelease as firmwareMapOf,
} from '../../../firmware-map/dist/base/releases.js';
import {
  RELEASES as memblock,
  profileForRelease as memblockOf,
} from '../../../memblock/dist/base/profiles.js';
import {
  RELEASES as pageInit,
  profileForRelease as pageInitOf,
} from '../../../page-init/dist/profiles.js';
import {
  RELEASES as unaccepted,
  profileForRelease as unacceptedOf,
} from '../../../unaccepted-memory/dist/releases.js';
import { RELEASES as printed, profileForRelease as printedOf } from '../../dist/plan/releases.js';

/** A package's table and its way in. */
export interface Table {
  readonly name: string;
  readonly rows: readonly { readonly since: string }[];
  readonly profileForRelease: (release?: string) => { readonly release: string };
}

export const TABLES: readonly Table[] = [
  { name: 'memblock', rows: memblock, profileForRelease: memblockOf },
  { name: 'buddy-allocator', rows: buddy, profileForRelease: buddyOf },
  { name: 'page-init', rows: pageInit, profileForRelease: pageInitOf },
  { name: 'firmware-map', rows: firmwareMap, profileForRelease: firmwareMapOf },
  { name: 'bootmem', rows: printed, profileForRelease: printedOf },
  { name: 'unaccepted', rows: unaccepted, profileForRelease: unacceptedOf },
];

const minors = (major: string, last: number, first = 0): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => `${major}.${first + index}`);

/** Every release from 2.6.32 to the newest known. */
export const KNOWN_RELEASES: readonly string[] = [
  ...minors('2.6', 39, 32),
  ...minors('3', 19),
  ...minors('4', 20),
  ...minors('5', 19),
  ...minors('6', 19),
  ...minors('7', 3),
];

/** A value as text; of a function, what it answers. */
function show(value: unknown): string {
  if (typeof value === 'function') {
    const { length } = value;
    const call = value as (...args: unknown[]) => unknown;
    if (length < 2) return `f(7) is ${String(call(7))}`;
    return `"${String(call(1, 2, 3))}"`;
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function change(before: unknown, after: unknown): string {
  if (before === undefined) return show(after);
  if (!Array.isArray(before) || !Array.isArray(after)) return `${show(before)} -> ${show(after)}`;
  // Where it stands counts: a list is printed in order.
  const added = after.flatMap((item, at) => (before.includes(item) ? [] : [`+${item}@${at}`]));
  const gone = before.filter((item) => !after.includes(item)).map((item) => `-${item}`);
  return [...added, ...gone].join(' ');
}

/** What each release changed, all packages side by side, one line a field. */
export function boundariesText(): string {
  let text =
    'What each kernel release changed. Kept by releases.test.ts, which says how to renew it.\n';
  const before = new Map<string, unknown>();
  for (const release of KNOWN_RELEASES) {
    const lines: string[] = [];
    for (const { name, rows } of TABLES) {
      for (const { since, ...row } of rows) {
        if (since !== release) continue;
        for (const [field, value] of Object.entries(row)) {
          const key = `${name} ${field}`;
          lines.push(`  ${name.padEnd(15)} ${field}: ${change(before.get(key), value)}\n`);
          before.set(key, value);
        }
      }
    }
    if (lines.length > 0) text += `\n${release}\n${lines.join('')}`;
  }
  return text;
}

/** Which row each release gets, by package. */
export function rowsText(): string {
  const line = (cells: readonly string[]): string =>
    `${cells
      .map((cell) => cell.padEnd(15))
      .join(' ')
      .trimEnd()}\n`;
  let text = line(['release', ...TABLES.map(({ name }) => name)]);
  for (const release of KNOWN_RELEASES) {
    text += line([release, ...TABLES.map((table) => table.profileForRelease(release).release)]);
  }
  return text;
}
