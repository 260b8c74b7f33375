/**
 * The comparison with the kernel's own figures, and its filters.
 */
import { byId, element, table } from '../dom.js';

/** Fills the table and its filters. */
export function checks({ check }) {
  const place = byId('check-table');
  const names = { equal: 'equal', differs: 'differs', 'not derivable': 'open' };
  const body = check.facts.map((fact) => ({
    attributes: { 'data-verdict': fact.verdict },
    cells: [
      fact.fact,
      fact.subject,
      fact.kernel,
      fact.ours,
      element(
        'span',
        { class: `verdict-${names[fact.verdict]}` },
        fact.verdict + (fact.reason ? ` (${fact.reason})` : ''),
      ),
    ],
  }));
  place.append(
    table(
      ['fact', 'of', 'kernel', 'ours', 'verdict'].map((title) => ({ title })),
      body,
    ),
  );
  const tools = byId('check-tools');
  const filters = [
    ['all', check.facts.length],
    ['equal', check.equal],
    ['differs', check.differs],
    ['not derivable', check.notDerivable],
  ];
  tools.append(
    ...filters.map(([name, amount], index) => {
      const button = element(
        'button',
        { type: 'button', 'aria-pressed': String(index === 0), 'data-filter': name },
        `${name} (${amount})`,
      );
      button.addEventListener('click', () => {
        for (const other of tools.querySelectorAll('button'))
          other.setAttribute('aria-pressed', String(other === button));
        for (const row of place.querySelectorAll('tbody tr')) {
          row.classList.toggle('hidden', name !== 'all' && row.dataset.verdict !== name);
        }
      });
      return button;
    }),
  );
}
