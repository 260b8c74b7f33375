/**
 * What is asked to be different, and the command line that comes of it.
 *
 * ```
 * the log's        quiet mem=4G crashkernel=256M
 * --remove mem     quiet crashkernel=256M                every word of that name goes
 * --add cma=64M    quiet crashkernel=256M cma=64M        words come last, where the kernel's "the last wins" finds them
 * --cmdline TEXT   TEXT                                  instead of the log's
 * ```
 */
import { splitCommandLine } from '@bootmem/firmware-map';
import { BootmemError } from '../errors.js';

/** What shall be different. Absent: as in the log. */
export interface Changes {
  /** Instead of the log's command line. */
  readonly commandLine?: string;
  /** Words put at its end. */
  readonly add?: readonly string[];
  /** Names of options to leave out, as they stand or with `_` for `-`. */
  readonly remove?: readonly string[];
  /** Release whose rules count, `MAJOR.MINOR`. */
  readonly kernel?: string;
  readonly memoryModel?: 'sparsemem' | 'flatmem';
  /** Nodes of equal size instead of those of the firmware; 1 or more. */
  readonly nodes?: number;
}

/** Words of a command line that begin a part for init. */
const END = '--';

/** Cuts at blanks outside double quotes, and keeps the quotes. */
function wordsOf(text: string): string[] {
  return text.match(/(?:"[^"]*"?|[^\s"])+/g) ?? [];
}

/** The name of an option as the kernel compares it. */
function nameOf(word: string): string {
  return splitCommandLine(word)[0]?.name ?? '';
}

/**
 * The command line after the changes.
 * @param text     the log's
 * @param changes  what shall be different
 * @throws BootmemError ERR_BOOTMEM_USAGE when a name to remove is not there
 */
export function changedCommandLine(text: string, changes: Changes): string {
  const words = wordsOf(changes.commandLine ?? text);
  const end = words.indexOf(END);
  const own = end < 0 ? words : words.slice(0, end);
  const kept = own.filter((word) => {
    const name = nameOf(word);
    return !(changes.remove ?? []).some((one) => nameOf(one) === name);
  });
  for (const name of changes.remove ?? []) {
    if (own.some((word) => nameOf(word) === nameOf(name))) continue;
    throw new BootmemError(
      'ERR_BOOTMEM_USAGE',
      `no option '${name}' on the command line: ${own.join(' ') || '(empty)'}`,
      { name },
    );
  }
  const added = (changes.add ?? []).flatMap(wordsOf);
  return [...kept, ...added, ...(end < 0 ? [] : words.slice(end))].join(' ');
}
