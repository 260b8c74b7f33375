/**
 * `npm run mutants -- PACKAGE`: breaks the package in small ways, one at a time, in a copy of the repository, and runs
 * its own test suite until a test fails. A break that no test notices fails this command, unless its list says why
 * nobody could.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { flag, integer, readOptions, text } from '../kit/options.js';
import { Random } from '../kit/random.mjs';
import type { Mutant, Verdict } from './mutant.js';
import { Suite } from './suite.js';
import type { SuiteOptions } from './suite.js';
import { WorkingCopy } from './working-copy.js';

/** A mutant may make the suite slower by this before it counts as hanging, at least so many milliseconds. */
const SLOWER = 5;
const LEAST_LIMIT = 300_000;
/** Time that a suite has which was not run before. */
const TRUSTED_LIMIT = 20 * 60_000;

const root = fileURLToPath(new URL('../../', import.meta.url));
const lists = readdirSync(new URL('./lists/', import.meta.url)).map((file) => file.slice(0, -3));
const { values, positionals } = readOptions(
  {
    name: 'mutants --',
    about: 'Breaks a package in small ways; its test suite has to notice each.',
    arguments: lists,
  },
  {
    only: text('', 'only those whose name contains this'),
    sample: integer(undefined, 'only so many of them, drawn at random', 1),
    seed: integer(1, 'of the draw, default 1'),
    part: text('1/1', 'only this part of them, such as 2/3 for the second third'),
    first: flag('run only the tests that a break names; one that they miss is left open'),
    trust: flag('the suite is known to pass without a break: do not run it first'),
    workers: integer(2, "jest's processes, default 2", 1),
    hang: integer(120, 'seconds after which one test counts as hanging, default 120', 1),
    list: flag('name them and check that each still finds its place; run nothing'),
  },
);
const [name] = positionals;
if (name === undefined || positionals.length > 1) {
  console.error(`name one package: ${lists.join(', ')}`);
  process.exit(2);
}

const all = ((await import(`./lists/${name}.ts`)) as { default: readonly Mutant[] }).default;
const [part = 1, parts = 1] = values.part.split('/').map(Number);
const named = all.filter((mutant) => mutant.name.includes(values.only));
const chosen = draw(named, values.sample ?? named.length).filter(
  (_mutant, index) => index % parts === part % parts,
);
checkList();
if (values.list) {
  for (const mutant of chosen) console.log(`${mutant.file.padEnd(28)} ${mutant.name}`);
  process.exit(process.exitCode ?? 0);
}
if (process.exitCode === 1 || chosen.length === 0) process.exit(1);

const copy = new WorkingCopy(root);
const suite = new Suite(copy.root, name);
process.on('exit', () => {
  suite.stop();
  copy.remove();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => process.exit(130));

const options = await baseline();
let caught = 0;
let explained = 0;
const survivors: string[] = [];
const open: string[] = [];
for (const mutant of chosen) {
  const started = performance.now();
  const verdict = await judge(mutant);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  const isOpen = values.first && mutant.first !== undefined && !verdict.caught;
  if (verdict.caught) caught += 1;
  else if (mutant.survives !== undefined) explained += 1;
  else (isOpen ? open : survivors).push(mutant.name);
  const word = verdict.caught ? 'caught  ' : isOpen ? 'OPEN    ' : 'SURVIVES';
  const why = verdict.caught ? verdict.by : (mutant.survives ?? 'no test notices it');
  console.log(`${word} ${mutant.name}\n         ${seconds} s, ${why.split('\n')[0] ?? ''}`);
}
console.log(
  `${caught} of ${chosen.length} caught, ${explained} survive for a reason, ${survivors.length} unnoticed, ${open.length} open`,
);
if (survivors.length + open.length > 0) process.exitCode = 1;

/** So many of them, in their own order. */
function draw(from: readonly Mutant[], count: number): Mutant[] {
  const random = new Random(values.seed);
  const order = from.map((mutant) => ({ mutant, at: random.unit() })).sort((a, b) => a.at - b.at);
  const taken = new Set(order.slice(0, count).map(({ mutant }) => mutant));
  return from.filter((mutant) => taken.has(mutant));
}

/** Each mutant has a name of its own and finds its text once. */
function checkList(): void {
  const names = new Set<string>();
  for (const { name: label, file, find, put } of all) {
    const path = join(root, 'packages', name!, 'src', file);
    const times = existsSync(path) ? readFileSync(path, 'utf8').split(find).length - 1 : 0;
    const wrong = [
      ...(names.has(label) ? ['two have this name'] : []),
      ...(times === 1 ? [] : [`its text occurs ${times} times in ${file}`]),
      ...(find === put ? ['it changes nothing'] : []),
    ];
    names.add(label);
    if (wrong.length === 0) continue;
    console.error(`${label}: ${wrong.join(', ')}`);
    process.exitCode = 1;
  }
}

/** The suite without a break: what it says afterwards counts only if it passes now. */
async function baseline(): Promise<SuiteOptions> {
  const limits = { workers: values.workers, testLimit: values.hang * 1000, limit: 30 * 60_000 };
  const started = performance.now();
  await suite.build();
  if (values.trust) return { ...limits, limit: TRUSTED_LIMIT };
  const { failed, passed } = await suite.run(limits);
  if (failed !== undefined || passed === 0) {
    console.error(`the suite fails without a break: ${failed ?? 'no test'}`);
    process.exit(1);
  }
  const ms = performance.now() - started;
  console.log(`${passed} tests pass without a break in ${(ms / 1000).toFixed(0)} s`);
  return { ...limits, limit: Math.max(LEAST_LIMIT, SLOWER * ms) };
}

function judge({ file, find, put, first }: Mutant): Promise<Verdict> {
  const edit = (source: string): string => source.replace(find, () => put);
  return copy.changed(`packages/${name!}/src/${file}`, edit, async () => {
    await suite.build();
    const patterns = first !== undefined && values.first ? [first] : [first, undefined];
    for (const pattern of new Set(patterns)) {
      const { failed } = await suite.run(options, pattern);
      if (failed !== undefined) return { caught: true, by: failed };
    }
    return { caught: false, by: '' };
  });
}
