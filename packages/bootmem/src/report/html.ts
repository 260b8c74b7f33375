/** Pieces of HTML that the page's parts share. Pure; they run when the page is made, and in it. */
import { withoutHidden } from '../format/safe/hidden.js';

/** Text that may stand in an element or an attribute, and shows all that it holds. */
export function escapeHtml(text: string): string {
  return withoutHidden(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A column of a table. */
export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

/** Columns of numbers. */
export const numberColumns = (titles: readonly string[]): Column[] =>
  titles.map((title) => ({ title, isNumber: true }));

/** A table that scrolls within itself; every cell is text. */
export function tableHtml(
  name: string,
  columns: readonly Column[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const kind = ({ isNumber }: Column): string => (isNumber === true ? ' class="number"' : '');
  const head = columns.map((one) => `<th scope="col"${kind(one)}>${escapeHtml(one.title)}</th>`);
  const body = rows.map((cells) => {
    const own = cells.map((cell, at) => `<td${kind(columns[at]!)}>${escapeHtml(`${cell}`)}</td>`);
    return `<tr>${own.join('')}</tr>`;
  });
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(name)}"><table><thead><tr>${head.join('')}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

/** The numbers behind a figure, folded away. */
export function numbersHtml(
  name: string,
  columns: readonly Column[],
  rows: readonly (readonly (string | number)[])[],
): string {
  return `<details><summary>The numbers</summary>${tableHtml(name, columns, rows)}</details>`;
}

/** What colours mean. */
export function keyHtml(entries: readonly (readonly [name: string, color: string])[]): string {
  const marks = entries.map(
    ([name, color]) =>
      `<span><i aria-hidden="true" style="background:${color}"></i>${escapeHtml(name)}</span>`,
  );
  return `<p class="key">${marks.join('')}</p>`;
}

/** A line above a drawing. */
export function laneHtml(text: string): string {
  return `<p class="lane">${escapeHtml(text)}</p>`;
}
