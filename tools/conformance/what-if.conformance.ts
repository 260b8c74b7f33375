// What another option, or another kernel, would do: pairs of recorded boots that differ by that alone. `what-if` on the
// first must give the second's figures, or say why it cannot.
//   npm run conformance -- what-if [FOLDER…]
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sharedOracle } from '@bootmem-tools/oracle';
import { loadMachine } from 'bootmem';
import { whatIf } from 'bootmem/check';
import { conformanceOptions } from '../kit/options.js';
import { pairsOf } from './what-if/pairs.js';
import type { Pair, Recording } from './what-if/pairs.js';
import { truthOf } from './what-if/truth.js';

/** A pair's outcome. */
interface Outcome {
  readonly pair: Pair;
  readonly equal: number;
  readonly unknowable: ReadonlyMap<string, number>;
  readonly differs: readonly string[];
}

/** Figures that rest on the map, options and rules alone. */
const OF_LAYOUT = / (?:start|spanned|present|extent|holes)$|^present$/;

async function outcomeOf(pair: Pair): Promise<Outcome> {
  const { first, second, by, also } = pair;
  const input = await loadMachine(first.name);
  const { release } = second.description.kernel!;
  const changes = { commandLine: commandLineOf(second) };
  const kernel = by === 'kernel' ? { kernel: /^\d+\.\d+(?:\.\d+)?/.exec(release)![0] } : {};
  const report = whatIf(input, { ...changes, ...kernel });
  const rows = new Map(report.rows.map((row) => [row.id, row]));
  const unknowable = new Map<string, number>();
  const differs: string[] = [];
  let equal = 0;
  const open = (reason: string): void => {
    unknowable.set(reason, (unknowable.get(reason) ?? 0) + 1);
  };
  for (const [id, kernelValue] of truthOf(second.description)) {
    const pages = report.rows.filter((row) => row.id.startsWith(`${id} node `));
    const row = rows.get(id) ?? pages[0];
    const ours =
      id.startsWith('huge pages') && pages.length > 0
        ? pages.reduce((sum, one) => sum + Number.parseInt(String(one.after), 10), 0)
        : row?.after;
    const reason = row?.certainty === 'follows' ? undefined : row?.reason;
    if (String(ours) === kernelValue && reason === undefined) equal++;
    else if (reason !== undefined) open(reason);
    else if (also.length > 0 && !OF_LAYOUT.test(id))
      open(`the machines differ in ${also.join(', ')}`);
    else differs.push(`${id}: kernel ${kernelValue}, ours ${ours}`);
  }
  return { pair, equal, unknowable, differs };
}

/** Logs cut long command lines; the file beside them does not. */
function commandLineOf({ name, description }: Recording): string {
  const file = join(name, 'cmdline.txt');
  const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  return text === '' ? (description.commandLine?.text ?? '') : text;
}

function recordings(root: string): string[] {
  if (existsSync(join(root, 'dmesg.txt'))) return [root];
  return readdirSync(root)
    .map((name) => join(root, name))
    .filter((path) => existsSync(join(path, 'dmesg.txt')))
    .sort();
}

const { paths: given } = conformanceOptions(
  'what-if',
  'Figures of boots with other options, against recordings of them.',
  'PATH',
  {},
);
const roots =
  given.length > 0
    ? given
    : (['boots', 'boots2'] as const).flatMap((name) => sharedOracle(name) ?? []);
const all: Recording[] = [];
for (const path of roots.flatMap(recordings)) {
  const { description } = await loadMachine(path);
  if (description.kernel !== undefined) {
    all.push({ name: path, description });
  }
}
const totals = { options: [0, 0, 0, 0], kernel: [0, 0, 0, 0] };
const reasons = new Map<string, number>();
let failed = 0;
for (const pair of pairsOf(all)) {
  const outcome = await outcomeOf(pair);
  const open = [...outcome.unknowable.values()].reduce((sum, count) => sum + count, 0);
  const { equal, differs } = outcome;
  for (const [reason, count] of outcome.unknowable) {
    reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  }
  const own = totals[pair.by];
  for (const [index, count] of [1, equal, open, differs.length].entries()) own[index]! += count;
  if (differs.length > 0) failed++;
  const verdict = differs.length > 0 ? 'DIFFERS ' : 'ok      ';
  const names = `${basename(pair.first.name)} -> ${basename(pair.second.name)}`;
  console.log(
    `${verdict} ${names}: ${equal} equal, ${open} unknowable, ${differs.length} differ${pair.also.length > 0 ? ` (also other ${pair.also.join(', ')})` : ''}`,
  );
  for (const difference of differs.slice(0, 6)) console.log(`           ${difference}`);
}
console.log();
for (const [by, [pairs, equal, open, differ]] of Object.entries(totals)) {
  console.log(
    `pairs by ${by}: ${pairs}, facts equal ${equal}, unknowable ${open}, differ ${differ}`,
  );
}
for (const [reason, count] of [...reasons].sort(([, a], [, b]) => b - a)) {
  console.log(`unknowable ${String(count).padStart(6)}  ${reason}`);
}
console.log(`what-if: ${totals.options[0]! + totals.kernel[0]! - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
