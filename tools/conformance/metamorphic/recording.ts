/**
 * A recording as text: the log, and the files that lay beside it. Variants are recordings too: a rule changes text and
 * nothing else, so that everything from the reader to the comparison is under test.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { loadMachine } from 'bootmem';
import type { LoadedMachine } from 'bootmem';
import { checkMachine } from 'bootmem/check';
import type { CheckReport } from 'bootmem/check';
import { mergeDescriptions, parseDescription } from '@bootmem/firmware-map';
import type { MachineDescription } from '@bootmem/firmware-map';

/** What was recorded of one boot. */
export interface Recording {
  readonly name: string;
  /** The log's lines, without their ends. */
  readonly lines: readonly string[];
  /** Whether each of its records stands on a line of its own. */
  readonly isPlain: boolean;
  /** Text of the files beside it, by name. */
  readonly files: ReadonlyMap<string, string>;
  /** Memory blocks and later steps, as they were read: files of sysfs that only a folder can hold. */
  readonly besides: Pick<LoadedMachine, 'blocks' | 'steps'>;
}

/** Files beside a log that a check reads. */
const SIBLINGS = [
  'zoneinfo.txt',
  'buddyinfo.txt',
  'pagetypeinfo.txt',
  'iomem.txt',
  'nodes.txt',
  'firmware_memmap.txt',
  'debugfs_memblock.txt',
];

/** A line that begins a boot. */
export const BANNER = /Linux version \d/;

/**
 * Reads a recording.
 * @param path  a log, or a folder with one
 * @returns `undefined` where the beginning of the log is lost, so that nothing is known of what a change would do
 */
async function readRecording(path: string): Promise<Recording | undefined> {
  const folder = statSync(path).isDirectory();
  const log = folder ? wholeLog(path) : path;
  if (log === undefined) return undefined;
  const text = readFileSync(log, 'utf8');
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const files = new Map<string, string>();
  for (const name of folder ? SIBLINGS : []) {
    const file = join(path, name);
    if (existsSync(file)) files.set(name, readFileSync(file, 'utf8'));
  }
  const besides = folder ? await readBesides(path) : {};
  return { name: basename(path), lines, isPlain: isPlain(text), files, besides };
}

// Mail programs and terminals wrap lines; pages of HTML join them.
function isPlain(text: string): boolean {
  const read = parseDescription(text);
  const problems = read.ok ? read.description.problems : read.problems;
  const isBroken = problems.some(
    ({ code }) => code === 'WRAPPED_LINE' || code === 'MALFORMED_LINE' || code === 'TRUNCATED',
  );
  return !isBroken && !/<br|^[>|] /m.test(text);
}

function wholeLog(folder: string): string | undefined {
  return ['dmesg.txt', 'merged.txt']
    .map((name) => join(folder, name))
    .find((path) => existsSync(path) && BANNER.test(readFileSync(path, 'utf8')));
}

async function readBesides(folder: string): Promise<Recording['besides']> {
  const { blocks, steps } = await loadMachine(folder);
  return { ...(blocks === undefined ? {} : { blocks }), ...(steps === undefined ? {} : { steps }) };
}

/** All recordings below some paths: logs, folders of a boot, folders of either. */
export async function readRecordings(paths: readonly string[]): Promise<Recording[]> {
  const found: Recording[] = [];
  for (const path of paths.flatMap(recordingPaths)) {
    const recording = await readRecording(path);
    if (recording !== undefined) found.push(recording);
  }
  return found;
}

function recordingPaths(path: string): string[] {
  if (!statSync(path).isDirectory() || wholeLog(path) !== undefined) return [path];
  return readdirSync(path)
    .sort()
    .map((name) => join(path, name))
    .filter((inner) =>
      statSync(inner).isDirectory()
        ? wholeLog(inner) !== undefined
        : /\.(?:dmesg|log)$/.test(inner),
    );
}

/** The machine of a recording, or why it cannot be used. */
function machineOf({ name, lines, files, besides }: Recording): LoadedMachine | string {
  const log = parseDescription(`${lines.join('\n')}\n`, { name });
  if (!log.ok) return log.problems.at(-1)?.message ?? 'not read';
  const more = [...files].flatMap(([file, text]) => parsedFile(file, text));
  const description =
    more.length === 0 ? log.description : mergeDescriptions(log.description, ...more);
  return { description, source: name, notes: [], ...besides };
}

/** Files change seldom: each text is read once. */
const parsed = new Map<string, readonly MachineDescription[]>();

function parsedFile(name: string, text: string): readonly MachineDescription[] {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const result = parseDescription(text, { name });
  const descriptions = result.ok ? [result.description] : [];
  if (parsed.size > 200) parsed.clear();
  parsed.set(text, descriptions);
  return descriptions;
}

/** Compares a recording. */
export function reportOf(recording: Recording): CheckReport {
  const machine = machineOf(recording);
  if (typeof machine !== 'string') return checkMachine(machine);
  const nothing = { equal: 0, differs: 0, notDerivable: 0, facts: [], findings: [], notes: [] };
  const head = { schema: 'bootmem/check', version: 1, source: recording.name } as const;
  return { ...head, kernel: 'unknown', rejected: machine, ...nothing };
}
