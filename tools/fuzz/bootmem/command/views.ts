/**
 * Everything that can be asked of one machine: every command of the grammar that takes a file and measures nothing, as text, as JSON and
 * with every other form it has; what lies at each address that is named in an answer; and the page. A form changes no exit code.
 */
import { renderReport } from '../../../../packages/bootmem/dist/report/render-report.js';
import type { ReportInput } from '../../../../packages/bootmem/dist/report/render-report.js';
import type { Random } from '../../../kit/random.mjs';
import { RAW } from './demands.js';
import type { Outcome } from './demands.js';
import { FORMS } from './grammar.js';
import { wrongInPage } from './page.js';

/** Runs a command, sees that what must hold holds, and tells how it ended. */
export type Ask = (args: readonly string[]) => Promise<Outcome>;

/** What takes a file, and is one look at a machine. */
const COMMANDS = FORMS.filter(
  ({ name, operands }) =>
    !['bench', 'report', 'at'].includes(name) &&
    operands.some((one) => one.name.startsWith('file')),
);
/** Forms of output: options without a value that ask for no other machine and no other verdict. */
const OTHER = ['--strict', '--this-machine'];
/** Places that are asked about, at most. */
const MOST_PLACES = 12;

const shared = ['--limit', '512M'];

function sample<T>(from: readonly T[], most: number, random: Random): T[] {
  if (from.length <= most) return [...from];
  return Array.from({ length: most }, () => random.pick(from));
}

/**
 * Asks everything.
 * @param file    a name of anything
 * @param ask     runs a command
 * @param random  which of many places
 * @throws Error with what does not hold
 */
export async function askEverything(file: string, ask: Ask, random: Random): Promise<void> {
  const answers = new Map<string, string>();
  for (const { name, flags } of COMMANDS) {
    const lone = name === 'boot' ? [...shared, '--threads', '1'] : shared;
    const plain = await ask([name, ...lone, file]);
    for (const { name: flag, takesValue } of flags) {
      if (takesValue || OTHER.includes(flag)) continue;
      const other = await ask([name, ...lone, flag, file]);
      if (other.code !== plain.code)
        throw new Error(`${name} ends with ${plain.code}, with ${flag} ${other.code}`);
      if (flag === '--json' && other.code !== 2) answers.set(name, other.out);
    }
  }
  const text = [...answers.values()].join('\n');
  const places = new Set(text.match(/0x[\da-f]+/g));
  for (const key of ['start', 'end', 'address', 'startPfn', 'endPfn']) {
    for (const [, number] of text.matchAll(new RegExp(`"${key}":(\\d+)`, 'g'))) places.add(number!);
  }
  for (const place of sample([...places], MOST_PLACES, random)) {
    await ask(['at', place, ...shared, ...(random.once(2) ? ['--json'] : []), file]);
  }
  await lookAtPage(answers, ask);
}

/** The first of what a command answered. */
const parsed = (answers: ReadonlyMap<string, string>, name: string): unknown => {
  const line = answers.get(name)?.split('\n')[0] ?? '';
  return line.startsWith('{') ? JSON.parse(line) : undefined;
};

/** A measurement of another machine: a page has one, and any will do. */
let bench: ReportInput['bench'] | undefined;
const MEASURE = ['bench', '--memory', '1G', '--rounds', '1', '--threads', '1', '--json', ...shared];

async function lookAtPage(answers: ReadonlyMap<string, string>, ask: Ask): Promise<void> {
  const boot = parsed(answers, 'boot') as ReportInput['boot'] | undefined;
  const check = parsed(answers, 'check') as ReportInput['check'] | undefined;
  const explain = parsed(answers, 'explain') as ReportInput['explain'];
  if (boot === undefined || check === undefined) return;
  bench ??= JSON.parse((await ask(MEASURE)).out) as ReportInput['bench'];
  const page = await renderReport({
    boot,
    check,
    bench,
    ...(explain === undefined ? {} : { explain }),
  });
  const wrong = wrongInPage(page) ?? (RAW.test(page) ? 'a raw control' : undefined);
  if (wrong !== undefined) throw new Error(`in the page, ${wrong}`);
}
