/**
 * Pages of `man`: the few forms that the manual of this package uses, from Markdown to man(7). Pure.
 *
 * Headings, paragraphs, lists of a term and `: ` its text, tables, fenced code; **bold**, _italic_ and `code` inside.
 */

/** Text that a formatter takes as it stands: backslashes doubled, no line that looks like a request. */
export function literal(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^(?=[.'])/gm, '\\&');
}

/** Marks inside a line. */
function inline(text: string): string {
  return literal(text)
    .replaceAll(/\*\*(.+?)\*\*/g, '\\fB$1\\fR')
    .replaceAll(/`([^`]+)`/g, '\\fB$1\\fR')
    .replaceAll(/(?<![\w\\])_([^_]+)_(?!\w)/g, '\\fI$1\\fR');
}

const isRow = (line: string): boolean => line.startsWith('|');
const isRule = (line: string): boolean => /^\|[ :|-]+\|?$/.test(line);

/** Cells of a table as a term and its text: the first column, and the rest. */
function row(line: string): string[] {
  const [first, ...rest] = line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
  return ['.TP', inline(first!), inline(rest.join(' '))];
}

/**
 * The body of a page.
 * @param markdown  what stands under one heading or several
 * @returns requests and text, with a final newline unless empty
 */
export function toRoff(markdown: string): string {
  const out: string[] = [];
  let isCode = false;
  let isTerm = false;
  const lines = markdown.split('\n');
  lines.forEach((line, index) => {
    if (line.startsWith('```')) {
      isCode = !isCode;
      out.push(...(isCode ? ['.PP', '.nf', '.RS'] : ['.RE', '.fi']));
    } else if (isCode) out.push(literal(line));
    else if (line.startsWith('## ')) out.push(`.SH ${line.slice(3).toUpperCase()}`);
    else if (line.startsWith('### ')) out.push(`.SS ${line.slice(4)}`);
    else if (isRow(line)) {
      if (!isRule(line) && !isRule(lines[index + 1] ?? '')) out.push(...row(line));
    } else if (line === '') {
      if (!isTerm && out.at(-1)?.startsWith('.') !== true) out.push('.PP');
      isTerm = false;
    } else if (lines[index + 1]?.startsWith(': ') === true) out.push('.TP', inline(line));
    else if (line.startsWith(': ')) {
      isTerm = true;
      out.push(inline(line.slice(2)));
    } else out.push(inline(line));
  });
  while (out.at(-1) === '.PP') out.pop();
  return out.length === 0 ? '' : `${out.join('\n')}\n`;
}
