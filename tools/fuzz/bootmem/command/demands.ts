/** What must hold of a run, whatever it was given: its exit code, what it printed, the files that it wrote. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { wrongInPage } from './page.js';
import { wrongBySchema } from './schemas.js';

/** How a run ended. */
export interface Outcome {
  readonly args: readonly string[];
  /** `undefined` where it was ended from outside, by a signal that ends at once. */
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
  /** False where not all that it said was heard: its streams were closed, or went elsewhere. */
  readonly isHeard?: boolean;
  /** Number of the signal that it was told to end by. */
  readonly signal?: number | undefined;
}

/** Controls but tab and line end, marks of direction, what is there and not seen. */
export const RAW =
  // eslint-disable-next-line no-control-regex -- what must not be printed
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;
/** Colours of the command's own. */
// eslint-disable-next-line no-control-regex -- sequences begin with ESC
const SGR = /\u001b\[(?:1|2|22|31|32|33|36|39)m/gu;
/** Marks of a page that come of what was read, as they stand in names and logs (`EVIL`). */
const MARKS = /<img src=x|<script>z/;
/** What the engine and its libraries say when something was not caught, or is used wrongly. */
const ENGINE = /^\s+at .+:\d+:\d+\)?$|node:internal|\(node:\d+\)|Unhandled|FATAL ERROR|Assertion/m;

const isWord = (args: readonly string[], ...words: string[]): boolean =>
  args.some((word) => words.includes(word));

/** Throws with what does not hold. */
export function check({ args, code, out, err, signal, isHeard = true }: Outcome): void {
  const demand = (fact: boolean, otherwise: string): void => {
    if (fact) return;
    const told = { args, code, signal, err: err.slice(0, 500), out: out.slice(-200) };
    throw new Error(`${otherwise}: ${JSON.stringify(told)}`);
  };
  const codes = [0, 1, 2, ...(signal === undefined ? [] : [128 + signal])];
  demand(code === undefined || codes.includes(code), 'another exit code');
  demand(!err.includes('a fault of this program'), 'an error without a code');
  demand(!ENGINE.test(err), 'words of the engine');
  demand(!RAW.test(err), 'a raw control on standard error');
  demand(!RAW.test(out.replaceAll(SGR, '')), 'a raw control on standard output');
  // A page, and help, are asked for by other words; those stand after `--` as well as before it.
  const isHelp = isWord(args, '-h', '--help', '--version', '-V', '--');
  const isPage = out.startsWith('<!doctype html>');
  const isQuiet = isWord(args, '--quiet', '-q', '-qo');
  demand(!isQuiet || isHelp || isPage || out === '', 'output though it should be quiet');
  const isMarkdown = args[0] === 'explain' && isWord(args, '--markdown') && !isWord(args, '--json');
  // In code, and behind a backslash, a mark is text.
  const page = isMarkdown ? out.replaceAll(/`[^`]*`|\\./g, '') : isPage ? out : '';
  demand(!MARKS.test(page), 'a mark of what was read in a page');
  if (!isHeard || code === undefined) return;
  demand(code === 0 || isQuiet || `${out}${err}`.trim() !== '', 'a failure without a word');
  if (isPage) {
    const wrong = wrongInPage(out);
    demand(wrong === undefined, `in the page, ${wrong}`);
  }
  if (isWord(args, '--json') && !isHelp && !isPage && err === '') {
    for (const line of out.split('\n').filter((text) => text !== '')) {
      const wrong = wrongBySchema(JSON.parse(line));
      demand(wrong === undefined, `JSON that its schema does not know: ${wrong}`);
    }
  }
}

/** Files with more names than one, and what is in them. */
export type Linked = ReadonlyMap<string, Buffer>;

/** Files of a folder that have another name. What is written gets a file of its own, so these stay as they are. */
export function linkedIn(folder: string): Linked {
  const paths = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => join(folder, name))
    // A name that no text can hold is not found by it.
    .filter((path) => (statSync(path, { throwIfNoEntry: false })?.nlink ?? 0) > 1);
  return new Map(paths.map((path) => [path, readFileSync(path)]));
}

/**
 * What must hold of the files that runs have written in a folder: those whose names begin with `out`.
 * @param before  from {@link linkedIn}, before they ran
 * @throws Error with what does not
 */
export function checkFiles(folder: string, args: readonly string[], before: Linked): void {
  for (const [path, bytes] of linkedIn(folder)) {
    if (before.get(path)?.equals(bytes) === false)
      throw new Error(`written through another name: ${JSON.stringify({ path, args })}`);
  }
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name.startsWith('.bootmem-')) throw new Error(`a file was left: ${entry.name}`);
    if (!entry.isFile() || !entry.name.startsWith('out')) continue;
    // Another name of what may be read, and no result.
    if (statSync(join(folder, entry.name)).nlink > 1) continue;
    const text = readFileSync(join(folder, entry.name), 'utf8');
    // What was printed there may have been cut by a signal.
    const plain = text.replaceAll(SGR, '');
    const isPrinted = entry.name === 'out-printed';
    const wrong = isPrinted ? RAW.test(plain) && 'a raw control' : wrongInFile(text);
    if (wrong !== undefined && wrong !== false) {
      throw new Error(`${wrong} in ${JSON.stringify(entry.name)}: ${JSON.stringify(args)}`);
    }
  }
}

function wrongInFile(text: string): string | undefined {
  if (RAW.test(text)) return 'a raw control';
  if (text.startsWith('<!doctype html>')) {
    return text.trimEnd().endsWith('</html>') ? wrongInPage(text) : 'half a page';
  }
  if (text.startsWith('{')) JSON.parse(text);
  if (text.startsWith('# TYPE') && !text.endsWith('# EOF\n')) return 'half of the metrics';
  return undefined;
}
