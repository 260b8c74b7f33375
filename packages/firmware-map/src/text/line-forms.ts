/**
 * From physical lines to lines of the log: undoes what mail, loggers and spreadsheets put around them.
 *
 *   physical line ─ base64 ─ quoted-printable ─ JSON object or member ─ YAML list item ─ CSV field, table cell ─▶ line of the log
 *
 * Each form is told by its shape, line by line, so a file may change in the middle; a plain line costs one test.
 */
import { Base64Text, QuotedPrintable } from './mail-forms.js';
import { MAX_LINE_LENGTH } from '../base/constants.js';
import { atOnce } from '../base/steps.js';
import type { Steps } from '../base/steps.js';
import { timeEnd } from './clean-line.js';
import { jsonMessages } from './json-lines.js';

/** Receives a line of the log. */
type LogLineSink = (line: string) => void;

/** How a line begins that one of the forms could have made: JSON, a YAML item, a mail header, coded text. */
const FORMED_BEGIN =
  // eslint-disable-next-line no-control-regex -- the record separator of json-seq is one
  /^(?:[\s\u001e]*(?:data: |- ?)?(?:\[\s*)?[{"']|\s*[,|]|Content-|[A-Za-z0-9+/]{56,76}$)/i;
/** What else a line of coded text holds. */
const CODED_INSIDE = /=\s*$|=0[AD]/i;

function isFormed(raw: string): boolean {
  // Most lines begin with a kernel time, which no form does.
  if (timeEnd(raw) === 0 && FORMED_BEGIN.test(raw)) return true;
  // A row with quotes.
  if (raw.includes('"') && (raw.endsWith('"') || raw.includes(',"'))) return true;
  return raw.includes('=') && CODED_INSIDE.test(raw);
}

/** Undoes the forms of lines. */
export class LineForms {
  readonly #base64 = new Base64Text();
  readonly #quoted = new QuotedPrintable();

  /** Whether no text has begun that lines may be parts of. */
  get isIdle(): boolean {
    return !this.#base64.isActive && !this.#quoted.isOn;
  }

  /** Whether a line is one of the log as it stands. */
  isPlain(raw: string): boolean {
    return this.isIdle && !isFormed(raw);
  }

  /**
   * Takes a physical line and delivers the lines of the log in it: mostly itself, none for a frame, several for a list. A long
   * one may hold a whole log in JSON.
   */
  *take(raw: string, sink: LogLineSink): Steps<void> {
    if (this.isPlain(raw)) sink(raw);
    else if (raw.length > MAX_LINE_LENGTH && !this.#base64.isActive && !this.#quoted.isOn) {
      if (!(yield* jsonMessages(raw, sink))) sink(raw);
    } else this.#takeShort(raw, sink);
  }

  #takeShort(raw: string, sink: LogLineSink): void {
    const quoted = (line: string): void => {
      this.#takeQuoted(line, sink);
    };
    const plain = (line: string): void => {
      deliver(line, sink);
    };
    if (!this.#base64.take(raw, plain, quoted)) quoted(raw);
  }

  /** Delivers what is still held. */
  finish(sink: LogLineSink): void {
    const plain = (line: string): void => {
      deliver(line, sink);
    };
    this.#base64.flush(plain, plain);
    this.#quoted.finish();
  }

  #takeQuoted(line: string, sink: LogLineSink): void {
    if (!this.#quoted.sees(line)) {
      deliver(line, sink);
      return;
    }
    this.#quoted.take(line, (inner) => {
      deliver(inner, sink);
    });
  }
}

/** Characters of a line that is looked into at once. */
const MOST_AT_ONCE = 2 ** 20;

function deliver(line: string, sink: LogLineSink): void {
  if (line.length > MOST_AT_ONCE) sink(line);
  else if (!atOnce(jsonMessages(line, sink))) {
    sink(yamlMessage(line) ?? csvMessage(line) ?? tableCell(line) ?? literalText(line) ?? line);
  }
}

// A row of Markdown, "| time | message | note |": the message is its longest cell.
function tableCell(line: string): string | undefined {
  if (!/^\s*\|.*\|\s*$/.test(line)) return undefined;
  const cells = cellsOf(line.trim().slice(1));
  if (cells.length < 2) return undefined;
  return cells.reduce((longest, cell) => (cell.length > longest.length ? cell : longest), '');
}

/** Cells of a row; the kernel's own bars stand in brackets, and one behind a backslash is none. */
function cellsOf(row: string): string[] {
  const cells: string[] = [];
  let cell = '';
  let depth = 0;
  for (let at = 0; at < row.length; at++) {
    const char = row[at]!;
    if (char === '[') depth++;
    else if (char === ']') depth = Math.max(0, depth - 1);
    if (char === '\\' && row[at + 1] === '|') continue;
    const isBorder = char === '|' && depth === 0 && row[at - 1] !== '\\';
    if (isBorder) {
      cells.push(cell.trim());
      cell = '';
    } else cell += char;
  }
  return cells;
}

// A line of a program's source or of a list in JSON: "text", 'text\n', with what goes on behind it.
function literalText(line: string): string | undefined {
  const match = /^\s*[bru]?(["'])(.*)\1[\s,;+)\\]*$/.exec(line);
  if (match === null) return undefined;
  return match[2]!.replaceAll(/\\(["'\\/])/g, '$1').replaceAll('\\t', ' ');
}

// LAVA's "- {dt: '…', lvl: target, msg: '…'}": quotes are doubled in single ones, escaped in double ones.
function yamlMessage(line: string): string | undefined {
  if (!/^- ?\{/.test(line)) return undefined;
  const match = /\bmsg: ?(?:'((?:[^']|'')*)'|("(?:[^"\\]|\\.)*"))/.exec(line);
  if (match === null) return undefined;
  if (match[1] !== undefined) return match[1].replaceAll("''", "'");
  try {
    return String(JSON.parse(match[2]!));
  } catch {
    return undefined;
  }
}

/** A row of a table: the message is its longest field. Only rows with quotes need that; others are read as they are. */
function csvMessage(line: string): string | undefined {
  if (!/^"|,"/.test(line) || !/"(?:,[^"]*)?$/.test(line)) return undefined;
  const fields: string[] = [];
  let at = 0;
  while (at <= line.length) {
    const field = /^"((?:[^"]|"")*)"(?:,|$)|^([^",]*)(?:,|$)/.exec(line.slice(at));
    if (field === null) return undefined;
    fields.push(field[1]?.replaceAll('""', '"') ?? field[2]!);
    at += Math.max(field[0].length, 1);
    if (!field[0].endsWith(',')) break;
  }
  return fields.reduce((longest, field) => (field.length > longest.length ? field : longest), '');
}
