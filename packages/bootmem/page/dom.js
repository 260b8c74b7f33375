/* global Node */
/** Elements of the page. Every figure has the same numbers as a table below it. */

export const byId = (id) => document.getElementById(id);

export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

export function table(columns, rows) {
  const head = element(
    'tr',
    {},
    ...columns.map((c) =>
      element('th', { scope: 'col', class: c.number ? 'number' : '' }, c.title),
    ),
  );
  const body = rows.map((row) => {
    const tr = element('tr', row.attributes ?? {});
    (row.cells ?? row).forEach((cell, index) => {
      const td = element('td', { class: columns[index].number ? 'number' : '' });
      td.append(cell instanceof Node ? cell : String(cell));
      tr.append(td);
    });
    return tr;
  });
  return element('table', {}, element('thead', {}, head), element('tbody', {}, ...body));
}

export function numbers(figureId, columns, rows) {
  const scroll = element('div', { class: 'scroll', tabindex: '0' }, table(columns, rows));
  byId(figureId).after(element('details', {}, element('summary', {}, 'The numbers'), scroll));
}

export function swatches(entries) {
  return element(
    'div',
    { class: 'swatches-row' },
    ...entries.map(([name, color]) => {
      const mark = element('i', { 'aria-hidden': 'true' });
      mark.style.background = color;
      return element('span', {}, mark, name);
    }),
  );
}
