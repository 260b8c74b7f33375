/** A log of one's own: where its memory went. Read, worked out and shown in this page; nothing is sent anywhere. */
import { parseDescription, type MachineDescription } from '@bootmem/firmware-map';
import { explainMachine } from 'bootmem/browser';
import { size } from './pictures.js';

type ExplainReport = ReturnType<typeof explainMachine>;
type Level = ExplainReport['levels'][number];

/** Characters of a log that are looked at: far more than a kernel's ring holds. */
const MAX_LENGTH = 2 ** 26;

/** What a log held. */
export interface Explained {
  readonly description: MachineDescription;
  readonly report: ExplainReport;
}

/**
 * Explains a log.
 * @param text  the log
 * @param name  what it is called
 * @throws Error with the first reason, when no machine can be read from it
 */
export function explainText(text: string, name: string): Explained {
  if (text.length > MAX_LENGTH) throw new Error('the log is too long for this page');
  const read = parseDescription(text);
  if (!read.ok) throw new Error(read.problems[0]?.message ?? 'this is no boot log');
  const lines = new Map(text.split('\n').map((line, index) => [index + 1, line.slice(0, 200)]));
  const { description } = read;
  return {
    description,
    report: explainMachine({ description, source: name, notes: [], lines }),
  };
}

function cell(kind: 'th' | 'td', text: string, className = ''): HTMLElement {
  const made = document.createElement(kind);
  made.textContent = text;
  if (className !== '') made.className = className;
  return made;
}

function row(kind: 'th' | 'td', label: string, bytes: number, evidence: string): HTMLElement {
  const made = document.createElement('tr');
  made.append(cell(kind, label), cell(kind, size(bytes), 'number'), cell('td', evidence));
  return made;
}

function tableOf({ title, whole, rows, rest, left }: Level): HTMLElement {
  const table = document.createElement('table');
  const caption = document.createElement('caption');
  caption.textContent = title;
  table.append(caption, row('th', whole.label, whole.bytes, ''));
  for (const { label, bytes, evidence } of rows) {
    const [first] = evidence;
    const line = first?.line === undefined ? '' : `line ${first.line}: `;
    table.append(row('td', label, bytes, `${line}${first?.text ?? ''}`));
  }
  if (rest.bytes > 0) table.append(row('td', 'not named', rest.bytes, ''));
  if (left !== undefined) table.append(row('th', left.label, left.bytes, ''));
  return table;
}

/** Levels and findings as elements. */
export function shown({ levels, findings, kernel, architecture }: ExplainReport): HTMLElement[] {
  const head = document.createElement('p');
  head.textContent = `Linux ${kernel}, ${architecture}`;
  const list = document.createElement('ul');
  list.append(
    ...findings.map(({ severity, message, remedy, line }) => {
      const item = document.createElement('li');
      const where = line === undefined ? '' : ` (line ${line})`;
      item.textContent = `${severity}${where}: ${message}. ${remedy}`;
      return item;
    }),
  );
  return [head, ...(findings.length === 0 ? [] : [list]), ...levels.map(tableOf)];
}
