/** `what-if` for people: what would change, group by group, then options and what is not known. */
import type { Steps } from '@bootmem/firmware-map/derive';
import type { WhatIfGroup, WhatIfReport, WhatIfRow } from '../../what-if-result.js';
import { inLine } from '../safe/escape.js';
import { fitted, noteLines } from '../paper.js';
import type { Paper } from '../paper.js';
import { tableSteps } from '../table.js';
import type { Column } from '../table.js';
import { cell, difference, placesLine } from './cells.js';

const TITLES: Readonly<Record<WhatIfGroup, string>> = {
  memory: 'Memory',
  nodes: 'Nodes',
  zones: 'Zones',
  reserved: 'Reserved',
  pages: 'Free blocks at the hand-over',
  time: 'Time',
};

const COLUMNS: readonly Column[] = [
  { title: '' },
  { title: 'today', align: 'right' },
  { title: 'then', align: 'right' },
  { title: 'difference', align: 'right', drop: 1 },
];

/** How much is told. */
export interface WhatIfTextOptions {
  /** Rows that stay the same too. */
  readonly all: boolean;
}

/**
 * The whole answer.
 * @param report   both boots
 * @param paper    headings are bold when it has colours; width
 * @param options  how much is told
 * @returns text with a final newline
 */
export function* whatIfText(
  report: WhatIfReport,
  paper: Paper,
  options: WhatIfTextOptions = { all: false },
): Steps<string> {
  const { before, after, source, reproduced } = report;
  const { bold, yellow } = paper.colors;
  const lines = [bold(inLine(`${source} (${before.kernel}, ${report.architecture})`))];
  const say = (text: string): void => {
    lines.push(fitted(inLine(text), paper));
  };
  say(`today  ${before.commandLine}`);
  say(`then   ${after.commandLine}`);
  if (after.kernel !== before.kernel) say(`       by the rules of ${after.kernel}`);
  // What neither boot's log tells is one line, not a table of dashes.
  const isBlank = (row: WhatIfRow): boolean =>
    row.certainty === 'unknown' && row.before === undefined;
  const shown = report.rows.filter((row) => options.all || (row.changed && !isBlank(row)));
  const blank = options.all ? [] : report.rows.filter(isBlank);
  const reasons = new Map<string, number>();
  const mark = ({ certainty, reason }: WhatIfRow): string => {
    if (reason === undefined) return '';
    const number = reasons.get(reason) ?? reasons.size + 1;
    reasons.set(reason, number);
    const sign = certainty === 'unknown' ? '?' : certainty === 'estimate' ? '~' : '';
    return ` ${sign}[${number}]`;
  };
  for (const group of Object.keys(TITLES) as WhatIfGroup[]) {
    const rows = shown.filter((row) => row.group === group);
    if (rows.length === 0) continue;
    const cells = rows.map((row) => [
      row.label,
      cell(row, row.before),
      `${cell(row, row.after)}${mark(row)}`,
      difference(row),
    ]);
    yield;
    lines.push('', bold(TITLES[group]));
    for (const line of yield* tableSteps(COLUMNS, cells, paper.width)) lines.push(line);
    yield;
    rows.flatMap(placesLine).forEach(say);
  }
  if (shown.length === 0) lines.push('', 'nothing that is known would change');
  lines.push('');
  const why = new Map<string, number>();
  for (const { reason = '' } of blank) why.set(reason, (why.get(reason) ?? 0) + 1);
  for (const [reason, count] of why) {
    say(
      `unknown today and then: ${count} figure${count === 1 ? '' : 's'} (${reason}); --all names them`,
    );
  }
  optionLines(report).forEach(say);
  for (const [reason, number] of reasons) say(`[${number}] ${reason}`);
  if (reproduced !== undefined) {
    say(
      `early allocations: done again with today’s options, ${reproduced.equal} of ${reproduced.of} lie where the log has them`,
    );
  }
  lines.push(...report.notes.flatMap((note) => noteLines(note, paper).map(yellow)));
  return `${lines.join('\n')}\n`;
}

function optionLines({ options, ignoredWords }: WhatIfReport): string[] {
  // A word without a value counts too: its value is empty.
  const differs = options.filter(
    ({ before, after }) => before.length !== after.length || before.join() !== after.join(),
  );
  const lines = differs.map(({ name, text }) => `option ${name}: ${text}`);
  const silent = options.filter((one) => one.answer === 'no model' && !differs.includes(one));
  if (silent.length > 0) {
    lines.push(`no model, and the same in both: ${silent.map(({ name }) => name).join(', ')}`);
  }
  if (ignoredWords > 0) lines.push(`${ignoredWords} other words: no options of memory, ignored`);
  return lines;
}
